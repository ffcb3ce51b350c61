//! `sse::encode`: what is written, and that it reads back as it was given.
#![allow(clippy::unwrap_used, reason = "what a vector lacks fails its test")]

mod support;

use millstream::sse::{EncodeError, Event, Fields, SseParser, encode};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use support::vectors::{bytes_of, decoded, load, name_of};

/// An argument of a case, given as text or as bytes.
fn argument(case: &Value, name: &str) -> Option<Vec<u8>> {
    let bytes = case.get(format!("{name}_b64")).map(decoded);
    bytes.or_else(|| case[name].as_str().map(|text| text.as_bytes().to_vec()))
}

#[test]
fn every_case_is_written_or_refused_as_its_vector_says() {
    let cases = load("encode");
    // Rust's types keep out what Python has to refuse: a `retry` that is not a `u64`.
    let typed = cases
        .iter()
        .filter(|case| case.get("retry").is_none_or(Value::is_u64));
    for case in typed {
        let values = ["comment", "event", "id", "data"].map(|name| argument(case, name));
        let [comment, event, id, data] = values.each_ref().map(Option::as_deref);
        let retry = case["retry"].as_u64();
        let found = encode(Fields {
            comment,
            event,
            id,
            retry,
            data,
        });
        match case["error"].as_str() {
            None => assert_eq!(found, Ok(bytes_of(case, "expected")), "{}", name_of(case)),
            Some(error) => assert_eq!(found.unwrap_err().to_string(), error, "{}", name_of(case)),
        }
    }
}

/// Type, data, ID and `retry` of an event.
type Fielded = (Vec<u8>, Vec<u8>, String, Option<u64>);

/// The events in `body`.
fn parsed(body: &[u8]) -> Vec<Fielded> {
    let mut found = Vec::new();
    let mut parser = SseParser::new(1 << 24, false);
    parser.feed(body, &mut |event: Event<'_>| {
        found.push((
            event.event.to_vec(),
            event.data.to_vec(),
            event.id.to_owned(),
            event.retry,
        ));
    });
    parser.close(&mut |_: Event<'_>| {});
    assert!(!parser.is_truncated(), "an encoded event is whole");
    found
}

/// `data` with LF for every line end.
fn with_lf(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut before = 0;
    for byte in data {
        match byte {
            b'\n' if before == b'\r' => {}
            b'\r' => out.push(b'\n'),
            byte => out.push(*byte),
        }
        before = *byte;
    }
    out
}

/// Bytes with many line ends, and whatever else.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        2 => proptest::sample::select(b"\r\n: \0adei\xEF\xBB\xBF".to_vec()),
        1 => any::<u8>(),
    ];
    vec(byte, 0..24)
}

proptest! {
    #![proptest_config(support::documents::random_cases())]

    #[test]
    fn an_encoded_event_reads_back_as_one_event_with_its_text(
        data in value(), event in proptest::option::of(value()), id in proptest::option::of("[^\r\n\0]{0,6}"),
        retry: Option<u64>, comment in proptest::option::of(value()),
    ) {
        let fields = Fields {
            comment: comment.as_deref(),
            event: event.as_deref(),
            id: id.as_deref().map(str::as_bytes),
            retry,
            data: Some(&data),
        };
        match encode(fields) {
            Err(error) => {
                let has_line_end = event.iter().flatten().any(|byte| matches!(byte, b'\r' | b'\n'));
                prop_assert!(has_line_end && error == EncodeError::Event);
            }
            Ok(encoded) => {
                let neighbour = b"data: x\n\n";
                let body = [&encoded[..], neighbour].concat();
                let found = parsed(&body);
                let id = id.unwrap_or_default();
                let event = event.unwrap_or_default();
                prop_assert_eq!(&found[0], &(event, with_lf(&data), id.clone(), retry));
                prop_assert_eq!(&found[1..], &[(vec![], b"x".to_vec(), id, None)]);
            }
        }
    }

    #[test]
    fn an_event_without_data_is_none(comment in value(), id in "[^\r\n\0]{0,6}") {
        let fields = Fields { comment: Some(&comment), id: Some(id.as_bytes()), ..Fields::default() };
        let encoded = encode(fields).unwrap();
        prop_assert_eq!(parsed(&encoded), vec![]);
    }

    #[test]
    fn an_id_is_refused_just_where_it_would_not_read_back(id in value()) {
        let fields = Fields { id: Some(&id), data: Some(b""), ..Fields::default() };
        let is_clean = !id.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b'\0'));
        match encode(fields) {
            Ok(encoded) => {
                let id = String::from_utf8_lossy(&id).into_owned();
                prop_assert!(is_clean);
                prop_assert_eq!(parsed(&encoded), vec![(vec![], vec![], id, None)]);
            }
            Err(error) => prop_assert!(!is_clean && error == EncodeError::Id),
        }
    }
}
