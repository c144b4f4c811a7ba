//! Small catalogs for the tests of hardware.
