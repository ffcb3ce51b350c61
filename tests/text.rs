//! `TextAssembler`: whole code points, as early as they are certain and never earlier.
#![allow(clippy::unwrap_used, reason = "what a vector lacks fails its test")]

mod support;

use millstream::error::Error;
use millstream::text::TextAssembler;
use millstream::utf8::{Errors, decode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use support::reads::{cut_at, splits};
use support::vectors::{decoded, list_of, load, name_of};

/// What each feed gave, what close gave, and the error; an error ends both.
fn assembled<P>(
    pieces: &[P],
    errors: Errors,
    feed: impl Fn(&mut TextAssembler, &P) -> (String, Option<Error>),
) -> (Vec<String>, Option<String>, Option<Error>) {
    let mut assembler = TextAssembler::new(errors);
    let mut emitted = Vec::new();
    for piece in pieces {
        let (text, error) = feed(&mut assembler, piece);
        emitted.push(text);
        if error.is_some() {
            return (emitted, None, error);
        }
    }
    let (text, error) = assembler.close();
    if error.is_some() {
        assert_eq!(text, "", "nothing is certain before an error at the end");
        return (emitted, None, error);
    }
    (emitted, Some(text), None)
}

fn from_bytes(pieces: &[&[u8]], errors: Errors) -> (Vec<String>, Option<String>, Option<Error>) {
    assembled(pieces, errors, |assembler, piece| {
        assembler.feed_bytes(piece)
    })
}

fn from_units(pieces: &[Vec<u16>], errors: Errors) -> (Vec<String>, Option<String>, Option<Error>) {
    assembled(pieces, errors, |assembler, piece| {
        assembler.feed_codes(piece.iter().map(|unit| u32::from(*unit)))
    })
}

fn cases(kind: &str) -> Vec<Value> {
    load("assembly")
        .into_iter()
        .filter(|case| case["kind"] == kind)
        .collect()
}

fn chunks(case: &Value) -> Vec<Vec<u8>> {
    list_of(&case["chunks_b64"]).iter().map(decoded).collect()
}

/// Everything that a case says comes out.
fn whole(expected: &Value) -> String {
    let emitted = expected["emit"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str);
    emitted.chain(expected["flush"].as_str()).collect()
}

fn joined(emitted: &[String], flushed: Option<String>) -> String {
    emitted.concat() + &flushed.unwrap_or_default()
}

#[test]
fn bytes_come_out_with_the_byte_that_decides_them() {
    for case in cases("bytes") {
        let chunks = chunks(&case);
        let pieces: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        for (name, errors) in [("replace", Errors::Replace), ("ignore", Errors::Ignore)] {
            let (emitted, flushed, _) = from_bytes(&pieces, errors);
            assert_eq!(
                list_of(&case[name]["emit"]),
                &emitted[..],
                "{}",
                name_of(&case)
            );
            assert_eq!(case[name]["flush"], flushed.unwrap(), "{}", name_of(&case));
            for pieces in splits(&chunks.concat()) {
                let (emitted, flushed, _) = from_bytes(&pieces, errors);
                assert_eq!(
                    joined(&emitted, flushed),
                    whole(&case[name]),
                    "{}",
                    name_of(&case)
                );
            }
        }
    }
}

#[test]
fn strict_bytes_fail_where_the_vectors_say() {
    for case in cases("bytes") {
        let chunks = chunks(&case);
        let pieces: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let (emitted, flushed, error) = from_bytes(&pieces, Errors::Strict);
        if let Some(chunk) = case["strict"]["error_after_chunk"].as_u64() {
            assert_eq!(emitted.len() as u64, chunk + 1, "{}", name_of(&case));
            assert!(error.is_some(), "{}", name_of(&case));
        } else if case["strict"]["error_at_flush"] == true {
            assert_eq!(emitted.len(), pieces.len(), "{}", name_of(&case));
            assert!(error.is_some(), "{}", name_of(&case));
        } else {
            assert_eq!(error, None, "{}", name_of(&case));
            assert_eq!(
                list_of(&case["replace"]["emit"]),
                &emitted[..],
                "{}",
                name_of(&case)
            );
            assert_eq!(
                case["replace"]["flush"],
                flushed.unwrap(),
                "{}",
                name_of(&case)
            );
        }
    }
}

/// The code units of a JSON string literal of ASCII with no other escapes than `\uXXXX`.
fn units(literal: &Value) -> Vec<u16> {
    let inside = literal.as_str().unwrap().trim_matches('"');
    let mut parts = inside.split("\\u");
    let mut units: Vec<u16> = parts.next().unwrap().encode_utf16().collect();
    for part in parts {
        units.push(u16::from_str_radix(&part[..4], 16).unwrap());
        units.extend(part[4..].encode_utf16());
    }
    units
}

#[test]
fn halves_of_pairs_are_held_and_joined() {
    for case in cases("utf16") {
        let literals = list_of(&case["json_literals"]);
        let pieces: Vec<Vec<u16>> = literals.iter().map(units).collect();
        let (emitted, flushed, _) = from_units(&pieces, Errors::Replace);
        assert_eq!(
            list_of(&case["join_replace"]["emit"]),
            &emitted[..],
            "{}",
            name_of(&case)
        );
        assert_eq!(
            case["join_replace"]["flush"],
            flushed.unwrap(),
            "{}",
            name_of(&case)
        );
        let each: Vec<Vec<u16>> = pieces.concat().chunks(1).map(<[u16]>::to_vec).collect();
        let (emitted, flushed, _) = from_units(&each, Errors::Replace);
        assert_eq!(
            joined(&emitted, flushed),
            whole(&case["join_replace"]),
            "{}",
            name_of(&case)
        );
    }
}

/// Whether some byte after `tail` makes a character of it, all of it.
fn is_unfinished(tail: &[u8]) -> bool {
    // Every range of the Encoding Standard's table has one of these at its lower end.
    let next = |bytes: &Vec<u8>| [0x80, 0x90, 0xA0].map(|byte| [&bytes[..], &[byte]].concat());
    let mut longer = vec![tail.to_vec()];
    (1..=4_usize.saturating_sub(tail.len())).any(|_| {
        longer = longer.iter().flat_map(next).collect();
        longer
            .iter()
            .any(|bytes| std::str::from_utf8(bytes).is_ok_and(|text| text.chars().count() == 1))
    })
}

/// The longest text that bytes after `data` cannot change.
fn certain(data: &[u8]) -> String {
    let held = (1..=3.min(data.len())).rev();
    let held = held
        .map(|count| data.len() - count)
        .find(|start| is_unfinished(&data[*start..]));
    String::from_utf8_lossy(&data[..held.unwrap_or(data.len())]).into_owned()
}

/// Bytes with every kind of wrong in them.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"a",
        b"\xC3\xA9",
        b"\xE2\x82\xAC",
        b"\xF0\x9F\x98\x80",
        b"\xEF\xBF\xBD",
        b"\xFF",
        b"\xC0\x80",
        b"\xED\xA0\x80",
        b"\xF4\x90\x80\x80",
        b"\xE2\x82",
        b"\xF0\x9F\x98",
        b"\x80",
        b"\xE0\x80",
        b"\xF0\x80",
    ];
    let piece = prop_oneof![
        select(pieces).prop_map(<[u8]>::to_vec),
        vec(any::<u8>(), 0..3)
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Code units, many of them halves.
fn code_units() -> impl Strategy<Value = Vec<Vec<u16>>> {
    let unit = select(vec![
        0x61_u16, 0xE9, 0xFFFD, 0xD800, 0xD83D, 0xDBFF, 0xDC00, 0xDE00, 0xDFFF,
    ]);
    vec(vec(unit, 0..4), 0..8)
}

proptest! {
    #![proptest_config(support::documents::random_cases())]

    #[test]
    fn bytes_are_read_as_the_standard_library_reads_them(data in bytes(), positions in vec(any::<Index>(), 0..6)) {
        let mut assembler = TextAssembler::new(Errors::Replace);
        let (mut fed, mut text) = (Vec::new(), String::new());
        for piece in cut_at(&data, &positions) {
            fed.extend_from_slice(piece);
            text += &assembler.feed_bytes(piece).0;
            prop_assert_eq!(&text, &certain(&fed));
        }
        text += &assembler.close().0;
        prop_assert_eq!(text.as_str(), &String::from_utf8_lossy(&data));
        prop_assert_eq!(decode(&data), String::from_utf8_lossy(&data));
    }

    #[test]
    fn ignored_bytes_leave_the_valid_ones(data in bytes(), positions in vec(any::<Index>(), 0..6)) {
        let (emitted, flushed, _) = from_bytes(&cut_at(&data, &positions), Errors::Ignore);
        let valid: String = data.utf8_chunks().map(|chunk| chunk.valid()).collect();
        prop_assert_eq!(joined(&emitted, flushed), valid);
    }

    #[test]
    fn strict_bytes_fail_at_the_first_wrong_one(data in bytes(), positions in vec(any::<Index>(), 0..6)) {
        let (emitted, flushed, error) = from_bytes(&cut_at(&data, &positions), Errors::Strict);
        match std::str::from_utf8(&data) {
            Ok(text) => prop_assert_eq!((joined(&emitted, flushed), error), (text.to_owned(), None)),
            Err(wrong) => {
                let (valid, rest) = data.split_at(wrong.valid_up_to());
                let frame = rest[..wrong.error_len().unwrap_or(rest.len())].to_vec();
                let offset = valid.len() as u64;
                prop_assert_eq!(emitted.concat().into_bytes(), valid);
                prop_assert_eq!(error, Some(Error::InvalidUtf8 { offset, frame }));
            }
        }
    }

    #[test]
    fn code_units_are_read_as_the_standard_library_reads_them(pieces in code_units()) {
        let units = pieces.concat();
        let (emitted, flushed, _) = from_units(&pieces, Errors::Replace);
        prop_assert_eq!(joined(&emitted, flushed), String::from_utf16_lossy(&units));
        let (emitted, flushed, _) = from_units(&pieces, Errors::Ignore);
        let paired: String = char::decode_utf16(units.iter().copied()).filter_map(Result::ok).collect();
        prop_assert_eq!(joined(&emitted, flushed), paired);
    }

    #[test]
    fn strict_code_units_fail_at_the_first_one_alone(pieces in code_units()) {
        let units = pieces.concat();
        let (emitted, flushed, error) = from_units(&pieces, Errors::Strict);
        let read: Vec<_> = char::decode_utf16(units.iter().copied()).collect();
        let good: String = read.iter().map_while(|unit| unit.as_ref().ok()).collect();
        let offset = good.encode_utf16().count() as u64;
        prop_assert_eq!(joined(&emitted, flushed), good);
        let expected = read.iter().any(Result::is_err).then_some(Error::UnpairedSurrogate { offset });
        prop_assert_eq!(error, expected);
    }
}
