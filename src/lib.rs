//! The core of Millstream: bytes of a network read in, events, deltas, text and records out.
//!
//! ```text
//!                       ┌─▶ sse ─▶ events
//! data ─▶ lines ─▶ frames (block)
//!  ▲ │                  └─▶ payload ─▶ json + delta ─▶ a sink: deltas, text, record  (decode holds it together)
//!  │ └─▶ framing ───────────▲
//!  http (under the native transport)
//! ```
//!
//! | modules | what they do |
//! |---|---|
//! | `lines`, `block`, `frames` | cut bytes into lines, lines into frames |
//! | `framing` | cuts bodies of other framings: lines of JSON, an array, binary messages |
//! | `sse` | turns frames into events, and encodes events |
//! | `payload`, `ending`, `delta` | turn frames into deltas, by way of what a stream remembers of its choices |
//! | `json` | validates and reads payloads; reads documents that arrive piece by piece; writes strings |
//! | `decode`, `body`, `format` | a stream from its first byte to its end: `StreamDecoder`, the kinds of body, the formats |
//! | `record` | writes the text of deltas as event records |
//! | `wire` | writes deltas in the formats that clients read, one file per wire |
//! | `seen` | describes a stream for the message of an error |
//! | `text`, `utf8` | keep characters whole; under all of them |
//! | `error` | every error of the above, with its offset |
//! | `http` | HTTP/1.1 without a socket; on its own, with errors of its own |
//! | `py` | the Python module `millstream._core`; the only module that knows Python |
//!
//! Everything is sans-I/O: `feed(data)` and `close()`, nothing else. An import points down, never in a
//! circle; `tests/test_core_modules.py` holds that. The crate is an implementation detail of the Python
//! package: its items are public for tests, benchmarks and fuzz targets, and change without notice.

mod block;
mod body;
pub mod decode;
pub mod delta;
mod ending;
pub mod error;
mod format;
pub mod frames;
pub mod framing;
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
pub mod wire;
