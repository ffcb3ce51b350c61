//! `StreamDecoder`: the deltas of a stream, the same for every way its bytes can arrive.
#![allow(clippy::unwrap_used, reason = "what a vector lacks fails its test")]

mod support;

use millstream::decode::{Ended, Format, StreamDecoder};
use millstream::delta::family::{Family, Source};
use millstream::delta::known::{RecentPayloads, Sample};
use millstream::delta::openai::OpenAiChat;
use millstream::delta::payload::Payload;
use millstream::json::Reader;
use serde_json::{Map, Value, json};
use support::deltas::{operations, read_error, read_json};
use support::outcome::{expected_failure, run};
use support::reads::{fed_with, splits};
use support::vectors::{bytes_of, decoder_for, list_of, load, name_of, wire};

/// Checks what a decoder remembers against what it handed out.
fn check_summary(decoder: &StreamDecoder, deltas: &[Value], name: &str) {
    let zero = || deltas.iter().filter(|delta| delta.get("index").is_none());
    let text: String = zero().filter_map(|delta| delta["text"].as_str()).collect();
    let finish = zero()
        .filter_map(|delta| delta["finish_reason"].as_str())
        .next_back();
    let last = |field: &str| {
        deltas
            .iter()
            .rev()
            .find_map(|delta| delta.get(field))
            .cloned()
    };
    assert_eq!(decoder.text(), text, "{name}");
    assert_eq!(decoder.deltas_seen(), deltas.len() as u64, "{name}");
    assert_eq!(decoder.finish_reason(), finish, "{name}");
    assert_eq!(decoder.usage().map(read_json), last("usage"), "{name}");
    assert_eq!(decoder.error().map(read_error), last("error"), "{name}");
    assert_eq!(
        decoder.ended() == Some(Ended::Error),
        decoder.error().is_some(),
        "{name}"
    );
    assert!(decoder.is_done(), "{name}");
}

/// The sum of what a stream meant, as the wire cases give it.
fn final_state(operations: &[Value]) -> Value {
    let mut state = json!({"choices": {}, "usage": null, "error": null, "ended": null});
    for operation in operations {
        match operation[0].as_str().unwrap() {
            "done" => state["ended"] = operation[1].clone(),
            name @ ("usage" | "error") => state[name] = operation[1].clone(),
            name => {
                let blank = json!({
                    "text": "", "reasoning": "", "refusal": "", "finish_reason": null, "tool_calls": {},
                });
                let choices = state["choices"].as_object_mut().unwrap();
                let choice = choices.entry(operation[1].to_string()).or_insert(blank);
                add(choice.as_object_mut().unwrap(), name, operation);
            }
        }
    }
    state
}

/// Adds one operation to the sum of its choice.
fn add(choice: &mut Map<String, Value>, name: &str, operation: &Value) {
    let append = |to: &mut Value, text: &Value| {
        *to = (to.as_str().unwrap().to_owned() + text.as_str().unwrap_or("")).into();
    };
    match name {
        "role" => {}
        "finish" => choice["finish_reason"] = operation[2].clone(),
        "tool" => {
            let blank = json!({"id": null, "name": null, "args": ""});
            let calls = choice["tool_calls"].as_object_mut().unwrap();
            let call = calls.entry(operation[2].to_string()).or_insert(blank);
            for (field, value) in [("id", &operation[3]), ("name", &operation[4])] {
                if !value.is_null() {
                    call[field] = value.clone();
                }
            }
            append(&mut call["args"], &operation[5]);
        }
        name => append(&mut choice[name], &operation[2]),
    }
}

/// The bytes in the `logprobs` of all deltas.
fn logprob_bytes(deltas: &[Value]) -> Vec<Value> {
    let entries = deltas
        .iter()
        .filter_map(|delta| delta["logprobs"]["content"].as_array())
        .flatten();
    entries
        .filter_map(|entry| entry["bytes"].as_array())
        .flatten()
        .cloned()
        .collect()
}

#[test]
fn a_stream_as_sent_means_what_its_vector_says() {
    let cases = wire();
    assert!(cases.len() >= 44, "only {} cases were found", cases.len());
    for wire in cases {
        let name = name_of(&wire.case);
        let mut expected = wire.case["final"].clone();
        let listed = expected.as_object_mut().unwrap().remove("logprob_bytes");
        for pieces in splits(&wire.body) {
            let mut decoder = decoder_for(&wire.case);
            let outcome = run(&mut decoder, &pieces);
            assert_eq!(outcome.failure, None, "{name}");
            let found = operations(&outcome.items, decoder.ended().map(Ended::name));
            assert_eq!(found, list_of(&wire.case["expected"]), "{name}");
            assert_eq!(final_state(&found), expected, "{name}");
            check_summary(&decoder, &outcome.items, name);
            if let Some(listed) = &listed {
                assert_eq!(list_of(listed), logprob_bytes(&outcome.items), "{name}");
            }
        }
    }
}

#[test]
fn every_split_gives_the_deltas_and_the_end_of_the_vector() {
    let limits = load("limits")
        .into_iter()
        .filter(|case| case["reader"] == "StreamDecoder");
    for case in load("decode")
        .into_iter()
        .chain(load("decode_errors"))
        .chain(limits)
    {
        let name = name_of(&case);
        let (failure, at) = expected_failure(&case);
        for pieces in splits(&bytes_of(&case, "input")) {
            let mut decoder = decoder_for(&case);
            let outcome = run(&mut decoder, &pieces);
            assert_eq!(outcome.items, list_of(&case["deltas"]), "{name}");
            assert_eq!(
                case["ended"].as_str(),
                decoder.ended().map(Ended::name),
                "{name}"
            );
            assert_eq!(outcome.failure, failure, "{name}");
            if failure.is_some() {
                let fed = at.and_then(|at| fed_with(at, &pieces));
                assert_eq!(outcome.done_at, fed, "{name}");
            }
            check_summary(&decoder, &outcome.items, name);
        }
    }
}

#[test]
fn a_payload_that_passes_a_limit_gives_nothing() {
    for case in load("decode_limits") {
        let (name, body) = (name_of(&case), bytes_of(&case, "input"));
        let (failure, at) = expected_failure(&case);
        let end = body.len() - 20;
        for pieces in [
            vec![&body[..]],
            body.chunks(977).collect(),
            vec![&body[..end], &body[end..]],
        ] {
            let mut decoder = decoder_for(&case);
            let outcome = run(&mut decoder, &pieces);
            assert_eq!(outcome.items, list_of(&case["deltas"]), "{name}");
            assert_eq!(
                case["ended"].as_str(),
                decoder.ended().map(Ended::name),
                "{name}"
            );
            assert_eq!(outcome.failure, failure, "{name}");
            if failure.is_some() {
                assert_eq!(
                    outcome.done_at,
                    at.and_then(|at| fed_with(at, &pieces)),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn formats_are_known_by_the_names_of_the_vectors() {
    for format in [Format::OPENAI_CHAT, Format::OPENAI_COMPLETIONS] {
        assert_eq!(Format::from_name(format.name()), Some(format));
        assert_eq!(StreamDecoder::new(format, true, 1).format(), format);
    }
    assert_eq!(Format::from_name("openai"), None);
}

#[test]
fn a_delta_comes_out_with_the_byte_that_completes_its_frame() {
    let first = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    let body =
        first.replace('\n', "\r\n") + &first.replace('\n', "\r") + first + "data: [DONE]\n\n";
    let mut decoder = StreamDecoder::new(Format::OPENAI_CHAT, true, 1 << 24);
    let outcome = run(&mut decoder, &support::reads::each_byte(body.as_bytes()));
    let due = first.len() + 1;
    assert_eq!(
        outcome.at,
        [
            Some(due),
            Some(due + 1 + first.len()),
            Some(due + 1 + 2 * first.len())
        ]
    );
    assert_eq!(outcome.done_at, Some(body.len()));
}

#[test]
fn white_space_before_a_body_is_lines_of_the_stream() {
    for start in ["<", "{", "{\"error\":\"e\"}"] {
        let body = " ".repeat(20) + "\r" + start + &"x".repeat(600);
        for pieces in splits(body.as_bytes()) {
            let mut decoder = StreamDecoder::new(Format::OPENAI_CHAT, true, 16);
            let outcome = run(&mut decoder, &pieces);
            let failure = decoder.failure().unwrap();
            assert_eq!(failure.offset(), 0, "{start}");
            assert_eq!(failure.frame().map(<[u8]>::len), Some(0), "{start}");
            assert_eq!(outcome.done_at, fed_with(17, &pieces));
        }
    }
}

#[test]
fn what_only_began_like_a_byte_order_mark_is_content() {
    for start in [
        &b"\xEF"[..],
        b"\xEF\xBB",
        b"\xEF ",
        b" \xEF\xBB\xBF",
        b"\xEF\xBB\xBF\xEF\xBB\xBF",
    ] {
        for document in [&b"{\"error\":\"e\"}"[..], b"<html>"] {
            let body = [start, document].concat();
            for pieces in splits(&body) {
                let mut decoder = StreamDecoder::new(Format::OPENAI_CHAT, true, 1 << 24);
                let outcome = run(&mut decoder, &pieces);
                assert_eq!(
                    (outcome.items.len(), outcome.failure),
                    (0, None),
                    "{body:?}"
                );
                assert_eq!(decoder.ended(), Some(Ended::Truncated));
            }
        }
    }
}

#[test]
fn an_unfinished_error_event_counts_only_if_it_is_json() {
    for (data, ended) in [
        ("[DONE]", Ended::Truncated),
        ("oops", Ended::Truncated),
        ("\"oops\"", Ended::Error),
    ] {
        let body = format!("event: error\ndata: {data}");
        for pieces in splits(body.as_bytes()) {
            let mut decoder = StreamDecoder::new(Format::OPENAI_CHAT, true, 1 << 24);
            run(&mut decoder, &pieces);
            assert_eq!(decoder.ended(), Some(ended), "{data}");
        }
    }
}

#[test]
fn nothing_behind_the_end_is_read() {
    let mut decoder = StreamDecoder::new(Format::OPENAI_CHAT, true, 64);
    let tail = "x".repeat(1000);
    let outcome = run(
        &mut decoder,
        &[b"data: [DONE]\n\ndata: {bad}\n\n", tail.as_bytes()],
    );
    assert_eq!((outcome.items.len(), outcome.failure), (0, None));
    assert_eq!(decoder.ended(), Some(Ended::Done));
}

#[test]
fn an_index_that_counts_tokens_does_not_defeat_the_comparison() {
    let texts =
        [0, 1, 22].map(|n| format!(r#"{{"choices":[{{"index":{n},"delta":{{"content":"x"}}}}]}}"#));
    for has_one_choice in [true, false] {
        let mut known = RecentPayloads::default();
        for text in &texts[..2] {
            let mut reader = Reader::new(text);
            let mut payload = Payload::new(has_one_choice, &[]);
            OpenAiChat
                .read_document(&mut reader, Source::default(), &mut payload)
                .unwrap();
            let sample = Sample {
                head: b"",
                event: b"",
                text,
                may_have_lines: false,
            };
            known.learn(&sample, &payload, &reader, true);
        }
        assert_eq!(
            known.read(b"", texts[2].as_bytes()).is_some(),
            has_one_choice
        );
    }
}
