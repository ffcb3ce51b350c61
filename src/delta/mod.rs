//! Deltas: the increments of a completion, as the provider sent them.
//!
//! One file per provider family reads payloads into the shape of `payload`; `decode` gives them out.

pub mod anthropic;
pub mod choices;
pub mod family;
pub mod known;
pub mod message;
pub mod openai;
pub mod output;
pub mod payload;
mod provider_error;
pub(crate) mod sent_error;
pub mod sink;
mod tools;

pub use sink::{Delta, ResponseInfo, Sink, Text, ToolCallDelta};
