//! Deltas: the increments of a completion, as the provider sent them.
//!
//! One file per provider family reads payloads into the shape of `payload`; `decode` hands the deltas out.

pub mod anthropic;
mod base64;
pub mod bedrock;
mod blocks;
pub mod choices;
pub mod cohere;
pub mod family;
pub mod gemini;
pub mod known;
pub mod llamacpp;
pub mod message;
pub mod ollama;
pub mod openai;
pub mod output;
pub mod payload;
mod provider_error;
mod response_items;
pub mod responses;
pub(crate) mod sent_error;
pub mod sink;
pub mod tgi;
mod tools;
pub mod unidentified;
mod usage;
mod values;

pub use sink::{Delta, ResponseInfo, Sink, Text, ToolCallDelta};
