//! `record`: a record for every piece of text, its string as JSON.

mod support;

use millstream::decode::{Format, StreamDecoder};
use millstream::record::Records;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::deltas::Collect;
use support::documents::{random_cases, string};

/// What text-only decoding says of `deltas`.
fn texts(deltas: &[Value]) -> Vec<&str> {
    let zero = deltas.iter().filter(|delta| delta.get("index").is_none());
    let said = zero.filter(|delta| delta.get("text").or(delta.get("finish_reason")).is_some());
    said.map(|delta| delta["text"].as_str().unwrap_or(""))
        .collect()
}

proptest! {
    #![proptest_config(random_cases())]

    #[test]
    fn every_text_of_choice_0_has_its_record(choices in vec((0..2_u8, string(), any::<bool>()), 0..12)) {
        let frames = choices.iter().map(|(index, text, is_last)| {
            let finish = if *is_last { "\"stop\"" } else { "null" };
            let choice = format!("{{\"index\":{index},\"text\":{text},\"finish_reason\":{finish}}}");
            format!("data: {{\"choices\":[{choice}]}}\n\n")
        });
        let body: Vec<u8> = frames.collect::<Vec<_>>().concat().into_bytes();
        let decoder = || StreamDecoder::new(Format::OPENAI_COMPLETIONS, true, 1 << 24);
        let (mut deltas, mut records) = (Vec::new(), Records::new(b"<", b">\n"));
        decoder().feed(&body, &mut Collect(&mut deltas));
        decoder().feed(&body, &mut records);
        let bytes = records.bytes();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let inside = lines.map(|line| line.strip_prefix(b"<").and_then(|line| line.strip_suffix(b">\n")));
        let found: Vec<Value> = inside.map(|inside| {
            inside.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default()
        }).collect();
        let expected: Vec<Value> = texts(&deltas).into_iter().map(|text| json!(text)).collect();
        prop_assert_eq!(found, expected);
        // Readers that split at more than LF find nothing to split at.
        let text = String::from_utf8_lossy(bytes).into_owned();
        let splitters = ['\u{2028}', '\u{2029}', '\u{85}', '\r'];
        prop_assert_eq!(text.find(splitters), None);
    }
}
