//! `JsonAssembler`: any split says the same, the changes add up, and what is whole is valid.
//! The reader of payloads, which is asked for that, also takes `NaN` and the infinities for numbers.
#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use millstream::error::Error;
use millstream::json::{
    Build, ChangeValue, JsonAssembler, MAX_DIGITS, Operation, Scalar, is_valid,
};
use millstream_fuzz::Input;

/// Writes what is known as text: enough to compare, and to see a part that is missing.
struct Shown;

impl Build for Shown {
    type Value = String;
    type Error = Infallible;

    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<String, Infallible> {
        Ok(format!("{scalar:?}"))
    }

    fn array(&mut self, elements: Vec<String>) -> Result<String, Infallible> {
        Ok(format!("[{}]", elements.join(", ")))
    }

    fn object(&mut self, members: Vec<(&str, String)>) -> Result<String, Infallible> {
        let members = members
            .into_iter()
            .map(|(key, value)| format!("{key:?}: {value}"));
        Ok(format!("{{{}}}", members.collect::<Vec<_>>().join(", ")))
    }
}

fn shown(json: &JsonAssembler) -> String {
    let Ok(text) = json.tape().build(0, &mut Shown);
    text
}

/// What is known at the end, whether it is whole, and the error that stopped the reading.
fn read(pieces: &[&str], strict: bool, asks: bool) -> (String, bool, Option<Error>) {
    let mut json = JsonAssembler::new(strict);
    for piece in pieces {
        let error = json.feed(piece);
        if asks {
            check_changes(&mut json);
        }
        if error.is_some() {
            return (shown(&json), json.is_complete(), error);
        }
    }
    json.close();
    (shown(&json), json.is_complete(), None)
}

/// Everything that a change names is there, and nothing is reported twice.
fn check_changes(json: &mut JsonAssembler) {
    let tape = json.tape();
    for change in json.changes(true, MAX_DIGITS) {
        match change.value {
            ChangeValue::Value(at) => {
                let Ok(value) = tape.build(at, &mut Shown);
                assert!(!value.is_empty());
            }
            ChangeValue::Text(from, to) => {
                assert_eq!(change.operation, Operation::Append);
                assert!(!tape.text(from, to).is_empty());
            }
        }
        assert!(change.path.is_empty() || change.path.starts_with('/'));
    }
    assert_eq!(json.changes(true, MAX_DIGITS), []);
}

/// The characters of `text` in pieces of at most `size`.
fn in_pieces(text: &str, size: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((at, _)) = rest.char_indices().nth(size) {
        let (piece, after) = rest.split_at(at);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Whether a valid document has a number word, `NaN` or an infinity: nothing else outside a string has these letters.
fn has_number_words(text: &str) -> bool {
    let (mut in_string, mut is_escaped) = (false, false);
    text.bytes().any(|byte| {
        let was_escaped = is_escaped;
        is_escaped = in_string && !was_escaped && byte == b'\\';
        in_string ^= byte == b'"' && !was_escaped;
        !in_string && matches!(byte, b'N' | b'I')
    })
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else {
        return;
    };
    let text = String::from_utf8_lossy(input.body);
    let strict = input.is_set(0);
    let whole = read(&[&text], strict, false);
    for size in [1, 1 + usize::from(input.options >> 4), 40] {
        assert_eq!(
            read(&in_pieces(&text, size), strict, input.is_set(1)),
            whole
        );
    }
    if strict {
        let is_whole = whole.1 && whole.2.is_none();
        assert_eq!(is_whole, is_valid(&text) && !has_number_words(&text));
    }
});
