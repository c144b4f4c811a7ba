//! What a stage keeps in the memory of its machines, and the fewest that hold it.
