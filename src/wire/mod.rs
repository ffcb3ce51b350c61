//! Wires: the bytes in which one answer of a model reaches a client.
//!
//! `writer` has the type that a caller uses, `wire` the interface of all wires. `choices` and `parts` are the bases of
//! the wires whose records have choices, and of those that begin and end parts. Every other file has one wire, or a
//! tool of several.

mod ag_ui;
mod answer;
mod choices;
mod ndjson;
mod object;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod parts;
mod piece;
mod response_events;
mod response_items;
mod text;
mod usage;
mod vercel_ui;
#[allow(clippy::module_inception)]
mod wire;
mod writer;

pub use answer::Settings;
pub use wire::{Failure, Part, Source, Unsupported};
pub use writer::{WireName, WireWriter};
