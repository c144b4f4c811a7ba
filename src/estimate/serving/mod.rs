//! What running a model yourself costs: how many accelerators of which sort, how fast, and what a million tokens cost.

mod physics;
