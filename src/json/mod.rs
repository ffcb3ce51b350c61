//! JSON as the payloads of a stream need it: a reader that validates everything and builds nothing,
//! a comparison that spares it most of its work, and the string encoding back.

mod reader;
mod scan;
mod skeleton;
mod string;
mod writer;

pub use reader::{Invalid, Reader, Token, is_valid};
pub use skeleton::Skeleton;
pub use string::Raw;
pub use writer::write_string;
