//! Deltas: the increments of a completion, as the provider sent them.
//!
//! One file per provider family reads payloads into the shape here; `decode` gives them out.

pub mod choices;
pub mod known;
pub mod message;
pub mod openai;
pub mod output;
mod provider_error;
pub mod sink;
mod tools;

pub use sink::{Delta, ResponseInfo, Sink, Text, ToolCallDelta};
