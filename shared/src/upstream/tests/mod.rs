//! The pipeline over real HTTP on loopback, with the time in the tests' hands.
