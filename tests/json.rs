//! The JSON reader: one definition of valid, and what a string says.
#![allow(clippy::unwrap_used, reason = "what a vector lacks fails its test")]

mod support;

use millstream::decode::{Format, StreamDecoder};
use millstream::error::Error;
use millstream::json::{is_valid, write_string};
use millstream::utf8;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::documents::{document, edit, edited, is_json};
use support::outcome::run;
use support::reads::{each_byte, splits};
use support::vectors::{bytes_of, load, name_of};

/// A longer document than this arrives whole and byte by byte only.
const SHORT: usize = 300;

fn decoder() -> StreamDecoder {
    StreamDecoder::new(Format::OPENAI_CHAT, true, 1 << 24)
}

/// The lines of `document`: its line ends, white space to JSON, become those of the stream.
fn lines(document: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    let mut bytes = document.iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&&b'\n') => {}
            b'\r' | b'\n' => lines.push(Vec::new()),
            byte => lines.last_mut().unwrap().push(*byte),
        }
    }
    lines
}

/// `document` as the data of one frame.
fn framed(document: &[u8]) -> Vec<u8> {
    let lines = lines(document);
    let fields = lines
        .iter()
        .map(|line| [b"data: ", &line[..], b"\n"].concat());
    fields.chain([b"\n".to_vec()]).collect::<Vec<_>>().concat()
}

fn ways(body: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    splits(body).take(if body.len() <= SHORT { usize::MAX } else { 2 })
}

#[test]
fn a_document_is_accepted_or_refused() {
    for case in load("json") {
        let document = bytes_of(&case, "document");
        assert_eq!(
            case["valid"],
            is_valid(&utf8::decode(&document)),
            "{}",
            name_of(&case)
        );
    }
}

#[test]
fn a_payload_is_accepted_or_refused() {
    for case in load("json") {
        let document = bytes_of(&case, "document");
        let mut frame = lines(&document).join(&b'\n');
        frame.truncate(512);
        let body = framed(&document);
        for pieces in ways(&body) {
            let mut decoder = decoder();
            let outcome = run(&mut decoder, &pieces);
            assert_eq!(
                case["valid"],
                outcome.failure.is_none(),
                "{}",
                name_of(&case)
            );
            if let Some(error) = decoder.failure() {
                assert_eq!(error.to_string(), "invalid JSON in the frame at byte 6");
                assert_eq!(error.frame(), Some(&frame[..]), "{}", name_of(&case));
            }
        }
    }
}

#[test]
fn a_body_is_accepted_or_refused() {
    for case in load("json") {
        let document = bytes_of(&case, "document");
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let Some(start) = document.iter().position(|byte| !is_space(byte)) else {
            continue;
        };
        if document[start] != b'{' {
            continue;
        }
        for pieces in ways(&document) {
            let mut decoder = decoder();
            run(&mut decoder, &pieces);
            assert_eq!(
                case["valid"],
                decoder.failure().is_none(),
                "{}",
                name_of(&case)
            );
            if let Some(error) = decoder.failure() {
                let frame = &document[start..];
                assert_eq!(error.to_string(), "invalid JSON in the body");
                assert_eq!(error.offset(), start as u64, "{}", name_of(&case));
                assert_eq!(error.frame(), Some(&frame[..frame.len().min(512)]));
            }
        }
    }
}

#[test]
fn a_million_levels_are_refused_at_once() {
    for shape in [
        "[",
        "{\"a\":",
        "[{\"a\":",
        "{\"choices\":[",
        "{\"choices\":[{\"logprobs\":",
    ] {
        let document = shape.repeat(1_000_000 / shape.len());
        assert!(!is_valid(&document));
        let mut decoder = decoder();
        let outcome = run(&mut decoder, &[b"data: ", document.as_bytes(), b"\n\n"]);
        assert!(outcome.failure.is_some());
    }
}

#[test]
fn every_short_document_is_accepted_or_refused_as_serde_json_does() {
    const BITS: &[&str] = &[
        "{", "}", "[", "]", ":", ",", "\"", "\\", "0", "1", "-", "+", ".", "e", "u", "a", " ",
        "\n", "null", "NaN", "Infinity",
    ];
    let mut documents = vec![String::new()];
    for _ in 0..4 {
        documents = documents
            .iter()
            .flat_map(|start| BITS.iter().map(move |bit| format!("{start}{bit}")))
            .collect();
        for document in &documents {
            assert_eq!(is_valid(document), is_json(document), "{document:?}");
        }
    }
}

#[test]
fn a_string_may_hold_any_character_but_quotes_backslashes_and_controls() {
    for length in 0..20 {
        for at in 0..=length {
            for character in (0..=0x2FF)
                .filter_map(char::from_u32)
                .chain(['\u{20ac}', '\u{1f600}'])
            {
                let (before, after) = ("x".repeat(at), "\u{e9}".repeat(length - at));
                let document = format!("\"{before}{character}{after}\"");
                let is_plain = character >= ' ' && !matches!(character, '"' | '\\');
                assert_eq!(is_valid(&document), is_plain, "{document:?}");
            }
        }
    }
}

fn escape(unit: u16, is_upper: bool) -> String {
    if is_upper {
        format!("\\u{unit:04X}")
    } else {
        format!("\\u{unit:04x}")
    }
}

/// `text` as the inside of a JSON string; `choices` says which of a character's spellings to use.
fn spelled(text: &str, choices: &[u8]) -> String {
    let mut out = String::new();
    for (character, choice) in text.chars().zip(choices.iter().cycle()) {
        let mut units = [0; 2];
        match (character, choice % 3) {
            ('\n', 0) => out.push_str("\\n"),
            ('"' | '\\' | '/', 0) => out.extend(['\\', character]),
            ('"' | '\\' | '\0'..='\x1F', _) | (_, 1) => {
                for unit in character.encode_utf16(&mut units) {
                    out += &escape(*unit, choice & 4 == 0);
                }
            }
            _ => out.push(character),
        }
    }
    out
}

fn payload(field: &str) -> Vec<u8> {
    format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{field}\"}}}}]}}\n\n").into_bytes()
}

proptest! {
    #![proptest_config(support::documents::random_cases())]

    #[test]
    fn documents_are_accepted(document in document()) {
        prop_assert!(is_json(&document));
        prop_assert!(is_valid(&document));
    }

    #[test]
    fn edited_documents_are_accepted_or_refused_as_serde_json_does(
        document in document(), edits in vec(edit(), 1..4),
    ) {
        let document = edited(&document, &edits);
        prop_assert_eq!(is_valid(&document), is_json(&document), "{:?}", document);
    }

    #[test]
    fn a_decoder_accepts_and_refuses_what_serde_json_does(
        document in document(), edits in vec(edit(), 0..3),
    ) {
        // An object with `"error": …` ends the stream but fails as little as any other. One with the
        // members of another format fails for that, at the end.
        let document = edited(&document, &edits);
        let text = document.trim_matches([' ', '\t', '\r', '\n']);
        let expected = text.is_empty() || is_json(text);
        let body = framed(document.as_bytes());
        let mut decoder = decoder();
        run(&mut decoder, &each_byte(&body));
        let is_accepted = matches!(decoder.failure(), None | Some(Error::OtherFormat { .. }));
        prop_assert_eq!(is_accepted, expected, "{:?}", document);
    }

    #[test]
    fn a_string_says_the_same_however_it_is_spelled(text: String, choices in vec(any::<u8>(), 1..8)) {
        let mut decoder = decoder();
        let outcome = run(&mut decoder, &[&payload(&spelled(&text, &choices))]);
        let expected: Vec<Value> = if text.is_empty() { vec![] } else { vec![json!({"text": text})] };
        prop_assert_eq!(outcome.items, expected);
        prop_assert_eq!(decoder.text(), text);
    }

    #[test]
    fn a_written_text_reads_back(text: String) {
        let mut written = Vec::new();
        write_string(&mut written, &text);
        let quoted = utf8::decode(&written);
        prop_assert!(is_valid(&quoted));
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).ok(), Some(text));
    }

    #[test]
    fn split_strings_join_to_what_utf16_says(pieces in vec(vec(any::<u16>().prop_map(|unit| {
        // Halves of pairs, mostly.
        if unit % 4 == 0 { unit % 128 } else { 0xD800 | (unit & 0x7FF) }
    }), 1..4), 1..6)) {
        let mut decoder = decoder();
        let bodies: Vec<Vec<u8>> = pieces.iter().map(|units| {
            let escapes: Vec<String> = units.iter().map(|unit| escape(*unit, false)).collect();
            payload(&escapes.concat())
        }).collect();
        let reads: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        run(&mut decoder, &reads);
        prop_assert_eq!(decoder.text(), String::from_utf16_lossy(&pieces.concat()));
    }
}
