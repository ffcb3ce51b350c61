//! What the tests share: the vectors, the ways bytes can arrive, and what came out of a reader.
#![allow(dead_code, reason = "each test crate uses its part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a vector that cannot be read fails its test"
)]

pub mod deltas;
pub mod documents;
pub mod formats;
pub mod http;
pub mod outcome;
pub mod payloads;
pub mod reads;
pub mod responses;
pub mod vectors;
