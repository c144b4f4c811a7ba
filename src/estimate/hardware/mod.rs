//! Machines: what they are, what an hour of one costs, rented or owned, and what they draw.

pub mod request;
