//! The core of Millstream: bytes of a network read in, events, deltas and text out.
//!
//! ```text
//! data ─▶ lines ─▶ sse (frames) ─▶ json ─▶ delta ─▶ text ─▶ decode (StreamDecoder) ─▶ record
//! ```
//!
//! Where the native transport serves, `http` stands before `lines`: data ─▶ http ─▶ lines.
//!
//! Everything is sans-I/O: `feed(data)` and `close()`, nothing else. No module but `py` knows Python.

mod block;
pub mod decode;
pub mod delta;
pub mod error;
mod format;
pub mod frames;
pub mod http;
pub mod json;
pub mod lines;
mod payload;
#[cfg(feature = "python")]
mod py;
pub mod record;
pub mod seen;
pub mod sse;
pub mod text;
pub mod utf8;
