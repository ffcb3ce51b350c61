//! `StreamDecoder` on generated streams: every split alike, and no panic.

mod support;

use millstream::decode::{Format, StreamDecoder};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::documents::{document, edit, edited};
use support::outcome::{Outcome, run};
use support::payloads::payloads;
use support::reads::cut_at;
use support::vectors::wire;

const NO_LIMIT: usize = 1 << 24;

fn format() -> impl Strategy<Value = Format> {
    select(vec![Format::OPENAI_CHAT, Format::OPENAI_COMPLETIONS])
}

/// Whole streams: payloads and everything else that a body may hold.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let framed = |text: String| format!("data: {text}\n\n").into_bytes();
    let pieces: Vec<&'static [u8]> = vec![
        b"\xEF\xBB\xBF",
        b" ",
        b"\n",
        b"\r",
        b": ping\n\n",
        b"data: [DONE]\n\n",
        b"data: [DONE]",
        b"event: error\n",
        b"error: ",
        b"error: {\"message\":\"m\"}\n\n",
        b"data: ",
        b"data:",
        b"{",
        b"<",
        b"<html>",
        b"\xFF",
        b"id: 1\n",
        b"data: {\"error\":\"e\"}\n\n",
        b"data: 5\ndata: \n\n",
        b"\"",
        b"retry: 5\r\n",
    ];
    let piece = prop_oneof![
        3 => payloads(1).prop_map(move |texts| texts.into_iter().flat_map(framed).collect()),
        3 => select(pieces).prop_map(<[u8]>::to_vec),
        1 => document().prop_map(String::into_bytes),
        1 => (4050..4110_usize).prop_map(|size| format!("data: {{\"a\":\"{}\"}}\n", "x".repeat(size)).into_bytes()),
        1 => vec(any::<u8>(), 0..20),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(NO_LIMIT), 1 => 1..200_usize]
}

/// What the splits of one body must have in common.
fn everything(pieces: &[&[u8]], format: Format, joins: bool, limit: usize) -> (Outcome, String) {
    let mut decoder = StreamDecoder::new(format, joins, limit);
    let outcome = run(&mut decoder, pieces);
    let rest = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        decoder.ended(),
        decoder.text(),
        decoder.finish_reason(),
        decoder.usage(),
        decoder.error()
    );
    (outcome, rest)
}

proptest! {
    #![proptest_config(support::documents::random_cases())]

    #[test]
    fn splits_never_matter(
        body in prop_oneof![4 => body(), 1 => vec(any::<u8>(), 0..200)],
        positions in vec(any::<Index>(), 0..8), format in format(), joins: bool, limit in limit(),
    ) {
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        let expected = everything(&bytes, format, joins, limit);
        for pieces in [vec![&body[..]], cut_at(&body, &positions)] {
            let (outcome, rest) = everything(&pieces, format, joins, limit);
            prop_assert_eq!(outcome, expected.0.expected_for(&pieces));
            prop_assert_eq!(&rest, &expected.1);
        }
    }

    #[test]
    fn every_text_handed_out_is_counted(body in body(), format in format(), joins: bool) {
        let mut decoder = StreamDecoder::new(format, joins, NO_LIMIT);
        let outcome = run(&mut decoder, &[&body]);
        let zero = outcome.items.iter().filter(|delta| delta.get("index").is_none());
        let text: String = zero.filter_map(|delta| delta["text"].as_str()).collect();
        prop_assert_eq!(decoder.text(), text);
    }

    #[test]
    fn damaged_bodies_as_sent_read_alike_at_every_split(
        at: Index, edits in vec(edit(), 1..4), positions in vec(any::<Index>(), 0..6),
    ) {
        let cases = WIRE.get_or_init(|| {
            let cases = wire().into_iter().map(|wire| (wire.format, wire.body));
            cases.collect()
        });
        let (format, body) = at.get(cases);
        let body = edited(&String::from_utf8_lossy(body), &edits).into_bytes();
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        let expected = everything(&bytes, *format, true, NO_LIMIT);
        for pieces in [vec![&body[..]], cut_at(&body, &positions)] {
            let (outcome, rest) = everything(&pieces, *format, true, NO_LIMIT);
            prop_assert_eq!(outcome, expected.0.expected_for(&pieces));
            prop_assert_eq!(&rest, &expected.1);
        }
    }

    #[test]
    fn no_order_of_calls_panics(
        body in body(), positions in vec(any::<Index>(), 0..6), closes in vec(any::<bool>(), 8), format in format(), limit in limit(),
    ) {
        let mut decoder = StreamDecoder::new(format, true, limit);
        let mut items = Vec::new();
        for (piece, closes) in cut_at(&body, &positions).into_iter().zip(closes) {
            decoder.feed(piece, &mut support::deltas::Collect(&mut items));
            if closes {
                decoder.close(&mut support::deltas::Collect(&mut items));
            }
        }
    }
}

/// The bodies of the wire vectors, read once.
static WIRE: std::sync::OnceLock<Vec<(Format, Vec<u8>)>> = std::sync::OnceLock::new();
