//! The client side of HTTP/1.1, sans-I/O, for the native transport.
//!
//! ```text
//! method, target, headers ─▶ request ─▶ bytes to send
//!
//! data ─▶ section ─▶ head ─▶ framing ─▶ body (chunked) ─▶ pieces of data, where they lie
//!         └───────────────── connection: one exchange ───────────────────────┘
//! ```
//!
//! Heads are read by `httparse`. A body is never copied: what [`Connection::feed`] hands out are
//! slices of the data it was given. The reader is strict where two readers of the same bytes could
//! see different responses (lengths, codings, chunk sizes), and takes a bare LF as a line end in a
//! head, where it can mean nothing else.

pub mod body;
mod chunked;
pub mod connection;
pub mod error;
pub mod head;
pub mod limits;
pub mod request;
mod section;

pub use connection::Connection;
pub use error::Error;
pub use head::Head;
pub use limits::Limits;
