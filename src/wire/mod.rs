//! Wires: the bytes in which one answer of a model reaches a client.
//!
//! `writer` has the type that a caller uses, `wire` what all wires share, `parts` what the wires share that begin
//! and end parts; every other file has one wire, or one of their tools.

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
