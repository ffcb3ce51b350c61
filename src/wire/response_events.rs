//! The numbered events of the Responses API.

use super::answer::Answer;
use super::object::Object;

/// Writes an event; the record of the open part's pieces has to be made again.
pub fn event(
    answer: &mut Answer,
    out: &mut Vec<u8>,
    name: &str,
    members: impl FnOnce(Object<'_>) -> Object<'_>,
) {
    begin_event(out, name, next_number(answer));
    members(Object::go_on(out)).end().extend_from_slice(b"\n\n");
}

/// The number of an event that is not a piece.
pub fn next_number(answer: &mut Answer) -> u64 {
    answer.piece.is_text = false;
    let numbered = answer.piece.numbered.get_or_insert_default();
    numbered.next += 1;
    numbered.next - 1
}

/// Takes the text of the open part.
pub fn take_text(answer: &mut Answer) -> String {
    let numbered = answer.piece.numbered.get_or_insert_default();
    std::mem::take(&mut numbered.text)
}

/// Writes the line with an event's name, and the members that each one has.
pub fn begin_event(out: &mut Vec<u8>, name: &str, sequence: u64) {
    for constant in [b"event: ", name.as_bytes(), b"\ndata: "] {
        out.extend_from_slice(constant);
    }
    Object::new(out)
        .string("type", name)
        .number("sequence_number", sequence)
        .more();
}
