//! The maps behind look-ups by name.
//!
//! Their keys are the catalog's own: somebody who asks for names cannot choose what is in them, and so has no use
//! for names that collide. A hash that is fast on short texts is safe here.

/// A map whose keys are not an asker's.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::FixedState>;
