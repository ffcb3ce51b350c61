//! JSON as the payloads of a stream need it: a reader that validates everything and builds nothing,
//! and the string encoding back.

mod reader;
mod string;

pub use reader::{Invalid, Key, Reader, is_valid};
pub use string::{Raw, quote};
