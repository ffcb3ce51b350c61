//! `SseParser`: the specification, for every way the bytes can arrive.
#![allow(clippy::unwrap_used, reason = "what a vector lacks fails its test")]

mod support;

use millstream::sse::SseParser;
use support::outcome::{expected_failure, run};
use support::reads::{fed_with, splits};
use support::vectors::{bytes_of, limit_of, list_of, load, name_of};

const NO_LIMIT: usize = 1 << 24;

fn due(case: &serde_json::Value) -> Vec<usize> {
    let listed = list_of(&case["dispatch_at"]);
    let bytes = listed.iter().filter_map(serde_json::Value::as_u64);
    bytes.map(|bytes| usize::try_from(bytes).unwrap()).collect()
}

#[test]
fn every_split_gives_the_events_of_the_specification() {
    for case in load("sse") {
        let (input, due) = (bytes_of(&case, "input"), due(&case));
        for pieces in splits(&input) {
            let mut parser = SseParser::new(NO_LIMIT, false);
            let outcome = run(&mut parser, &pieces);
            let fed: Vec<_> = due.iter().map(|due| fed_with(*due, &pieces)).collect();
            assert_eq!(
                outcome.items,
                list_of(&case["expected"]),
                "{}",
                name_of(&case)
            );
            assert_eq!(outcome.at, fed, "{}", name_of(&case));
            assert_eq!(outcome.failure, None, "{}", name_of(&case));
            assert_eq!(parser.last_event_id(), case["final_last_event_id"]);
            assert_eq!(parser.retry(), case["final_retry"].as_u64());
        }
    }
}

#[test]
fn an_unfinished_event_is_discarded_and_the_stream_called_truncated() {
    for case in load("sse_flush") {
        for pieces in splits(&bytes_of(&case, "input")) {
            let mut parser = SseParser::new(NO_LIMIT, false);
            let outcome = run(&mut parser, &pieces);
            assert_eq!(
                outcome.items,
                list_of(&case["expected"]),
                "{}",
                name_of(&case)
            );
            assert_eq!(
                case["truncated"],
                parser.is_truncated(),
                "{}",
                name_of(&case)
            );
            assert_eq!(parser.last_event_id(), case["final_last_event_id"]);
            assert_eq!(parser.retry(), case["final_retry"].as_u64());
        }
    }
}

#[test]
fn eof_flush_dispatches_an_unfinished_event_at_close() {
    for case in load("sse_flush") {
        let (early, late) = (list_of(&case["expected"]), list_of(&case["flushed"]));
        for pieces in splits(&bytes_of(&case, "input")) {
            let mut parser = SseParser::new(NO_LIMIT, true);
            let outcome = run(&mut parser, &pieces);
            assert_eq!(outcome.items, [early, late].concat(), "{}", name_of(&case));
            let at_close = outcome.at.iter().filter(|at| at.is_none()).count();
            assert_eq!(at_close, late.len(), "{}", name_of(&case));
            assert_eq!(
                case["truncated"],
                parser.is_truncated(),
                "{}",
                name_of(&case)
            );
            assert_eq!(parser.last_event_id(), case["flush_last_event_id"]);
            assert_eq!(parser.retry(), case["flush_retry"].as_u64());
        }
    }
}

#[test]
fn an_event_fails_with_the_byte_that_makes_it_too_large() {
    for case in load("limits")
        .iter()
        .filter(|case| case["reader"] == "SSEParser")
    {
        let (failure, at) = expected_failure(case);
        for pieces in splits(&bytes_of(case, "input")) {
            let outcome = run(&mut SseParser::new(limit_of(case), false), &pieces);
            assert_eq!(
                outcome.items,
                list_of(&case["expected"]),
                "{}",
                name_of(case)
            );
            assert_eq!(outcome.failure, failure, "{}", name_of(case));
            let fed = at.and_then(|at| fed_with(at, &pieces));
            assert_eq!(outcome.done_at, fed, "{}", name_of(case));
        }
    }
}

#[test]
fn long_lines_are_joined_as_short_ones_are() {
    for sizes in [
        [5000, 1],
        [1, 5000],
        [5000, 5000],
        [0, 4091],
        [4090, 4092],
        [9000, 0],
        [4096, 4097],
    ] {
        let block = |letter: &str| {
            let values = sizes.map(|size| letter.repeat(size));
            let body = format!("data: {}\r\ndata:{}\r\nid: 1\r\n\r\n", values[0], values[1]);
            (values.join("\n"), body)
        };
        let (events, bodies): (Vec<String>, Vec<String>) =
            ["a", "b", "c"].map(block).into_iter().unzip();
        let body = bodies.concat();
        for pieces in splits(body.as_bytes()) {
            let outcome = run(&mut SseParser::new(NO_LIMIT, false), &pieces);
            let found: Vec<_> = outcome
                .items
                .iter()
                .filter_map(|event| event["data"].as_str())
                .collect();
            assert!(found == events, "{sizes:?}");
        }
    }
}
