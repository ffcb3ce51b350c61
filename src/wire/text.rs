//! `text`: the text itself in UTF-8, and nothing else.

use super::answer::Answer;
use super::wire::{Failure, Part, Wire};
use crate::delta::Delta;

/// A refusal is text. All else is left out, an error too: the connection is cut instead of being closed.
#[derive(Debug)]
pub struct TextWire;

impl Wire for TextWire {
    fn lacks(&self) -> &'static [Part] {
        &[Part::Sources, Part::Data, Part::Snapshots]
    }

    fn start(&mut self, answer: &mut Answer, _: &mut Vec<u8>) {
        answer.piece.is_raw = true;
        answer.piece.is_text = true;
    }

    fn text(&mut self, _: &mut Answer, out: &mut Vec<u8>, text: &str) {
        out.extend_from_slice(text.as_bytes());
    }

    fn delta(&mut self, _: &mut Answer, out: &mut Vec<u8>, delta: &Delta<'_>) {
        for text in [&delta.text, &delta.refusal].into_iter().flatten() {
            out.extend_from_slice(text.as_bytes());
        }
    }

    fn fail(&mut self, _: &mut Answer, _: &mut Vec<u8>, _: &Failure<'_>) {}

    fn close(&mut self, _: &mut Answer, _: &mut Vec<u8>) {}
}
