//! `SseParser` on generated streams, and data that is taken before the end of its event.

mod support;

use millstream::error::Error;
use millstream::frames::Large;
use millstream::sse::{Event, EventSink, SseParser};
use millstream::utf8;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use support::outcome::{Outcome, Reader, event_value, run, run_each_byte};
use support::reads::cut_at;

const NO_LIMIT: usize = 1 << 24;

#[test]
fn a_large_line_is_taken_in_parts_that_end_with_whole_characters() {
    let mut parser = SseParser::new(NO_LIMIT, false);
    let mut parts = Vec::new();
    for piece in [
        "data: ab\u{e9}".as_bytes(),
        b"c\xF0\x9F",
        b"\x98",
        b"\x80d",
        b"ef",
    ] {
        parser.feed(piece, &mut |_: Event<'_>| {});
        parts.extend(parser.take_begun(2).map(|begun| begun.data().to_vec()));
    }
    assert_eq!(parts, ["ab\u{e9}".as_bytes(), "c\u{1F600}d".as_bytes()]);
    let mut items = Vec::new();
    parser.feed(b"\n\n", &mut Joined(&mut String::new(), &mut items));
    assert_eq!(items[0]["data"], "ef");
}

/// Everything that means something in a stream, and some that does not.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 28] = [
        b"data",
        b"event",
        b"id",
        b"retry",
        b"x",
        b"error",
        b":",
        b" ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"data: ",
        b"data:",
        b"id: ",
        b"event: ",
        b"retry: ",
        b"1",
        b"23",
        b"\0",
        b"\xEF\xBB\xBF",
        b"\xEF\xBB",
        b"\xFF",
        b"\xF0\x9F",
        b"\x98\x80",
        b"data: whole\n\n",
        b"data:whole\r\n\r\n",
        b"abcdefgh",
    ];
    let piece = select(pieces.to_vec()).prop_map(<[u8]>::to_vec);
    // Longer than what a line may be copied for.
    let field = select(vec!["", "data:", "data: ", "\r\ndata: "]);
    let long = (field, 4090..4110_usize)
        .prop_map(|(field, size)| (field.to_owned() + &"x".repeat(size)).into_bytes());
    vec(prop_oneof![60 => piece, 1 => long], 0..40).prop_map(|pieces| pieces.concat())
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![Just(NO_LIMIT), 1..40_usize]
}

/// What the splits of one stream must have in common.
type Everything = (Outcome, String, Option<u64>, bool);

fn everything(pieces: &[&[u8]], limit: usize, flushes: bool) -> Everything {
    let mut parser = SseParser::new(limit, flushes);
    let outcome = run(&mut parser, pieces);
    with_state(outcome, &parser)
}

fn with_state(outcome: Outcome, parser: &SseParser) -> Everything {
    (
        outcome,
        parser.last_event_id().to_owned(),
        parser.retry(),
        parser.is_truncated(),
    )
}

/// A parser whose data is taken before the end of an event, where more than `held` bytes are there.
struct Taking {
    parser: SseParser,
    held: usize,
    /// What was taken, each part decoded by itself.
    begun: String,
}

/// Puts events together with what was taken of them.
struct Joined<'a>(&'a mut String, &'a mut Vec<Value>);

impl EventSink for Joined<'_> {
    fn event(&mut self, event: Event<'_>) {
        assert_eq!(self.0, "", "the data of another event");
        self.1.push(event_value(&event));
    }

    fn large(&mut self, event: Event<'_>, data: Large) {
        assert!(data.is_rest || self.0.is_empty());
        let whole = std::mem::take(self.0) + &utf8::decode(data.data());
        let data = whole.as_bytes();
        self.event(Event { data, ..event });
    }
}

impl Reader for Taking {
    fn feed(&mut self, data: &[u8], items: &mut Vec<Value>) {
        self.parser.feed(data, &mut Joined(&mut self.begun, items));
        let most = self.parser.held();
        if let Some(begun) = self.parser.take_begun(self.held) {
            assert!((self.held + 1..=most).contains(&begun.data().len()));
            self.begun += &utf8::decode(begun.data());
        }
    }

    fn close(&mut self, items: &mut Vec<Value>) {
        self.parser.close(&mut Joined(&mut self.begun, items));
    }

    fn failure(&self) -> Option<&Error> {
        self.parser.failure()
    }

    fn text(&self) -> &str {
        self.parser.text()
    }

    fn items_seen(&self) -> u64 {
        self.parser.items_seen()
    }

    fn is_done(&self) -> bool {
        self.parser.is_done()
    }
}

/// A parser that takes the reads of one event by [`SseParser::feed_one`].
struct OneByOne(SseParser);

impl Reader for OneByOne {
    fn feed(&mut self, data: &[u8], items: &mut Vec<Value>) {
        match self.0.feed_one(data) {
            None => Reader::feed(&mut self.0, data, items),
            Some(data) => items.push(event_value(&Event {
                event: b"",
                data,
                id: "",
                retry: None,
            })),
        }
    }

    fn close(&mut self, items: &mut Vec<Value>) {
        Reader::close(&mut self.0, items);
    }

    fn failure(&self) -> Option<&Error> {
        self.0.failure()
    }

    fn text(&self) -> &str {
        self.0.text()
    }

    fn items_seen(&self) -> u64 {
        self.0.items_seen()
    }

    fn is_done(&self) -> bool {
        self.0.is_done()
    }
}

/// Reads that are one event, or nearly.
fn reads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let nearly: [&[u8]; 16] = [
        b"data: a\n\n",
        b"data:a\r\n\r\n",
        b"data:\n\n",
        b"data: \n\n",
        b"data\n\n",
        b"data: \xFFa\n\n",
        b"data: a\r\r",
        b"data: a\r\n\n",
        b"data: a\n\r\n",
        b"data: a\r\r\n\r\n",
        b"data: a\n\n\n",
        b"data: a\ndata: b\n\n",
        b"data: a\n\ndata: b\n\n",
        b"data: a\n",
        b"id: 1\ndata: a\n\n",
        b"id\n\n",
    ];
    let read = select(nearly.to_vec()).prop_map(<[u8]>::to_vec);
    vec(prop_oneof![4 => read, 1 => stream()], 0..12)
}

proptest! {
    #![proptest_config(support::documents::random_cases())]

    #[test]
    fn splits_never_matter(
        body in prop_oneof![4 => stream(), 1 => vec(any::<u8>(), 0..200)],
        positions in vec(any::<Index>(), 0..8),
        limit in limit(),
        flushes: bool,
    ) {
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        let expected = everything(&bytes, limit, flushes);
        for pieces in [vec![&body[..]], cut_at(&body, &positions)] {
            let mut found = everything(&pieces, limit, flushes);
            prop_assert_eq!(&found.0, &expected.0.expected_for(&pieces));
            found.0 = expected.0.clone();
            prop_assert_eq!(found, expected.clone());
        }
    }

    #[test]
    fn data_taken_before_the_end_is_the_events(
        body in prop_oneof![4 => stream(), 1 => vec(any::<u8>(), 0..200)],
        positions in vec(any::<Index>(), 0..8),
        limit in limit(),
        flushes: bool,
        held in 0..12_usize,
    ) {
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        let expected = everything(&bytes, limit, flushes);
        for pieces in [vec![&body[..]], cut_at(&body, &positions), bytes] {
            let parser = SseParser::new(limit, flushes);
            let mut taking = Taking { parser, held, begun: String::new() };
            let outcome = run(&mut taking, &pieces);
            prop_assert_eq!(&outcome, &expected.0.expected_for(&pieces));
            let found = with_state(expected.0.clone(), &taking.parser);
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn an_event_alone_is_the_one_among_others(reads in reads(), limit in limit(), flushes: bool) {
        let body = reads.concat();
        let expected = everything(&body.chunks(1).collect::<Vec<_>>(), limit, flushes);
        let pieces: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
        let mut parser = OneByOne(SseParser::new(limit, flushes));
        let outcome = run(&mut parser, &pieces);
        prop_assert_eq!(&outcome, &expected.0.expected_for(&pieces));
        prop_assert_eq!(with_state(expected.0.clone(), &parser.0), expected);
    }

    #[test]
    fn a_limit_changes_nothing_before_it_is_met(body in stream(), limit in 1..40_usize) {
        let free = run_each_byte(&mut SseParser::new(NO_LIMIT, false), &body);
        let limited = run_each_byte(&mut SseParser::new(limit, false), &body);
        prop_assert_eq!(&limited.items[..], &free.items[..limited.items.len()]);
        prop_assert!(limited.failure.is_some() || limited.items.len() == free.items.len());
    }
}
