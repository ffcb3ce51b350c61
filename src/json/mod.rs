//! JSON as the payloads of a stream need it: a reader that validates everything and builds nothing, a comparison that
//! spares it most of its work, the string encoding back, and JSON text without white space (`compact`). And documents
//! that arrive piece by piece (`partial`), kept as tokens (`tape`), with what has changed (`changes`).

mod changes;
mod compact;
mod numbers;
mod partial;
mod reader;
mod scan;
mod skeleton;
mod string;
mod tape;
mod writer;

pub use changes::{Change, ChangeValue, Operation};
pub use compact::write_compact;
pub use numbers::{LEAST_DIGITS, MAX_DIGITS, Scalar};
pub use partial::JsonAssembler;
pub use reader::{InvalidJson, Reader, is_valid};
pub use scan::Token;
pub use skeleton::Skeleton;
pub use string::Raw;
pub use tape::{Build, Tape};
pub use writer::{write_inside, write_string};
