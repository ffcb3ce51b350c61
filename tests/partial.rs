//! `JsonAssembler`: a document that arrives piece by piece, and what is known of it at any time.
#![allow(clippy::unwrap_used, reason = "what a vector lacks fails its test")]

mod support;

use std::convert::Infallible;

use millstream::error::Error;
use millstream::json::{Build, ChangeValue, JsonAssembler, MAX_DIGITS, Scalar};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};
use support::documents::{document, edit, edited, random_cases, without_lone_surrogates};
use support::vectors::{list_of, load, name_of};

/// Makes the values of `serde_json`.
struct Values;

impl Build for Values {
    type Value = Value;
    type Error = Infallible;

    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<Value, Infallible> {
        Ok(match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => value.into(),
            Scalar::String(text) => text.into(),
            Scalar::Float(value) => value.into(),
            Scalar::Integer(text) => match text.parse::<i64>() {
                Ok(value) => value.into(),
                Err(_) => json!({ "integer": text }),
            },
        })
    }

    fn array(&mut self, elements: Vec<Value>) -> Result<Value, Infallible> {
        Ok(elements.into())
    }

    fn object(&mut self, members: Vec<(&str, Value)>) -> Result<Value, Infallible> {
        let members = members
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        Ok(Value::Object(members.collect::<Map<_, _>>()))
    }
}

fn value(json: &JsonAssembler) -> Option<Value> {
    let tape = json.tape();
    let Ok(value) = tape.build(0, &mut Values);
    (!tape.is_empty()).then_some(value)
}

/// The changes as `diff` returns them.
fn changes(json: &mut JsonAssembler) -> Vec<Value> {
    let changes = json.changes(true, MAX_DIGITS);
    let tape = json.tape();
    let reported = changes.into_iter().map(|change| {
        let value = match change.value {
            ChangeValue::Value(at) => {
                let Ok(value) = tape.build(at, &mut Values);
                value
            }
            ChangeValue::Text(from, to) => tape.text(from, to).into(),
        };
        json!({"op": change.operation.name(), "path": change.path, "value": value})
    });
    reported.collect()
}

fn assembler(case: &Value) -> JsonAssembler {
    JsonAssembler::new(case["strict"].as_bool().unwrap_or(true))
}

/// What is known at the end, and what went wrong.
fn ended(mut json: JsonAssembler, pieces: &[&str]) -> (Option<Value>, bool, Option<Error>) {
    let error = pieces.iter().find_map(|piece| json.feed(piece));
    if error.is_none() {
        json.close();
    }
    (value(&json), json.is_complete(), error)
}

/// The text character by character.
fn characters(text: &str) -> Vec<&str> {
    text.split_inclusive(|_| true).collect()
}

/// The text cut at characters.
fn cut<'t>(text: &'t str, positions: &[Index]) -> Vec<&'t str> {
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let mut at: Vec<usize> = positions
        .iter()
        .filter(|_| !ends.is_empty())
        .map(|position| *position.get(&ends))
        .collect();
    at.extend([0, text.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

#[test]
fn every_character_makes_known_and_changes_what_the_vectors_say() {
    for case in load("partial") {
        if case["known"].is_null() {
            continue;
        }
        let (name, mut json) = (name_of(&case), assembler(&case));
        let (mut known, mut reported) = (None, Vec::new());
        for (fed, character) in characters(case["text"].as_str().unwrap())
            .into_iter()
            .enumerate()
        {
            let error = json.feed(character);
            let step = list_of(&case["known"])
                .iter()
                .find(|step| step[0] == fed + 1);
            known = step.map(|step| step[1].clone()).or(known);
            assert_eq!(value(&json), known, "{name} at {fed}");
            let changes = changes(&mut json);
            if !changes.is_empty() {
                reported.push(json!([fed + 1, changes]));
            }
            if error.is_some() {
                break;
            }
        }
        assert_eq!(list_of(&case["diff"]), reported, "{name}");
    }
}

#[test]
fn every_split_ends_as_the_vectors_say() {
    for case in load("partial") {
        let (name, text) = (name_of(&case), case["text"].as_str().unwrap());
        let whole = ended(assembler(&case), &[text]);
        assert_eq!(case["complete"], whole.1, "{name}");
        let failure = whole.2.as_ref();
        let failure =
            failure.map(|error| json!({"message": error.to_string(), "offset": error.offset()}));
        assert_eq!(case["failure"], failure.unwrap_or_default(), "{name}");
        assert_eq!(
            ended(assembler(&case), &characters(text)),
            whole,
            "{name}, character by character"
        );
        for (at, _) in text.char_indices() {
            let (one, other) = text.split_at(at);
            assert_eq!(
                ended(assembler(&case), &[one, other]),
                whole,
                "{name} at {at}"
            );
        }
    }
}

#[test]
fn halves_of_pairs_stand_in_strings_alone() {
    let mut json = JsonAssembler::new(true);
    assert_eq!(json.feed("[\""), None);
    assert_eq!(
        json.feed_codes([0x61, 0xD83D, 0xDE00, 0xDE00, 0xD83D].into_iter()),
        None
    );
    assert_eq!(value(&json), Some(json!(["a\u{1F600}\u{FFFD}"])));
    assert_eq!(json.feed("\", 1"), None);
    assert_eq!(value(&json), Some(json!(["a\u{1F600}\u{FFFD}\u{FFFD}", 1])));
    let error = Error::TextNotJson { offset: 11 };
    assert_eq!(json.feed_codes([0xD83D].into_iter()), Some(error));
}

#[test]
fn integers_are_exact_and_other_numbers_are_rounded() {
    let nines = "9".repeat(4299);
    let json = ended(
        JsonAssembler::new(true),
        &[&format!("[{nines}, -{nines}, 1e400, 0.1, -0]")],
    );
    let known = json.0.unwrap();
    assert_eq!(known[0], json!({ "integer": nines }));
    // Floats without end are null in this kind of value.
    assert_eq!(
        known.as_array().unwrap()[1..],
        [json!(null), json!(null), json!(0.1), json!(0)]
    );
}

#[test]
fn who_holds_a_document_keeps_it_as_it_was() {
    let mut json = JsonAssembler::new(true);
    assert_eq!(json.feed("[1, \"a"), None);
    let tape = json.tape();
    assert_eq!(json.feed("b\", 2"), None);
    assert_eq!(tape.build(0, &mut Values), Ok(json!([1, "a"])));
    assert_eq!(value(&json), Some(json!([1, "ab", 2])));
}

proptest! {
    #![proptest_config(random_cases())]

    #[test]
    fn documents_are_read_as_serde_reads_them(text in document(), positions in vec(any::<Index>(), 0..6)) {
        let (known, complete, error) = ended(JsonAssembler::new(true), &cut(&text, &positions));
        prop_assert_eq!((complete, error), (true, None));
        // It knows neither of lone surrogates nor of numbers beyond its range.
        if let Ok(value) = serde_json::from_str::<Value>(&without_lone_surrogates(&text)) {
            prop_assert_eq!(same_numbers(known.unwrap()), same_numbers(value));
        }
    }

    #[test]
    fn any_split_says_the_same(text in document(), edits in vec(edit(), 0..4), positions in vec(any::<Index>(), 0..6)) {
        let text = edited(&text, &edits);
        let whole = ended(JsonAssembler::new(true), &[&text]);
        prop_assert_eq!(&ended(JsonAssembler::new(true), &cut(&text, &positions)), &whole);
        prop_assert_eq!(&ended(JsonAssembler::new(true), &characters(&text)), &whole);
        // The reader of payloads takes these for numbers; documents are read by RFC 8259.
        let strict = text.replace("NaN", "?aN").replace("Infinity", "?nfinity");
        prop_assert_eq!(whole.1 && whole.2.is_none(), millstream::json::is_valid(&strict));
    }
}

/// A value whose numbers are all floats.
fn same_numbers(value: Value) -> Value {
    // `-0` is an integer here, and zero.
    let written = |number: f64| json!(number + 0.0);
    match value {
        Value::Number(number) => written(number.as_f64().unwrap()),
        Value::Array(values) => values.into_iter().map(same_numbers).collect(),
        Value::Object(members) if members.contains_key("integer") => {
            let text = members["integer"].as_str().unwrap_or_default();
            written(text.parse().unwrap())
        }
        Value::Object(members) => {
            let members = members
                .into_iter()
                .map(|(key, value)| (key, same_numbers(value)));
            Value::Object(members.collect())
        }
        other => other,
    }
}
