//! `StreamDecoder` on streams that nobody wrote: splits, what came before, no panic.

mod support;

use millstream::decode::{Format, StreamDecoder};
use millstream::error::Error;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use support::documents::{document, edit, edited};
use support::outcome::{Outcome, run, run_each_byte};
use support::payloads::{TEMPLATES, WITHOUT_CALLS, payloads};
use support::reads::cut;
use support::vectors::wire;

const NO_LIMIT: usize = 1 << 24;

fn format() -> impl Strategy<Value = Format> {
    select(vec![Format::OpenAiChat, Format::OpenAiCompletions])
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
        3 => payloads(TEMPLATES.len(), 1).prop_map(move |texts| texts.into_iter().flat_map(framed).collect()),
        3 => select(pieces).prop_map(<[u8]>::to_vec),
        1 => document().prop_map(String::into_bytes),
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

/// A stream read payload by payload: each alone, from a decoder that has seen nothing before.
struct Alone {
    deltas: Vec<Value>,
    failure: Option<Error>,
}

fn alone(payloads: &[String], format: Format, joins: bool) -> Alone {
    let mut found = Alone {
        deltas: Vec::new(),
        failure: None,
    };
    let mut offset = 0;
    for payload in payloads {
        let frame = format!("data: {payload}\n\n");
        let mut decoder = StreamDecoder::new(format, joins, NO_LIMIT);
        let mut items = Vec::new();
        decoder.feed(frame.as_bytes(), &mut support::deltas::Collect(&mut items));
        found.deltas.extend(items);
        if let Some(Error::FrameNotJson {
            offset: within,
            frame,
        }) = decoder.failure()
        {
            found.failure = Some(Error::FrameNotJson {
                offset: offset + within,
                frame: frame.clone(),
            });
        }
        if decoder.is_done() {
            break;
        }
        offset += frame.len() as u64;
    }
    without_repeated_reasons(&mut found.deltas);
    found
}

/// Leaves out a finish reason that its choice already has, and a delta that had nothing else.
fn without_repeated_reasons(deltas: &mut Vec<Value>) {
    let mut reasons = std::collections::HashMap::new();
    deltas.retain_mut(|delta| {
        let index = delta["index"].as_u64().unwrap_or(0);
        let Some(fields) = delta.as_object_mut() else {
            return false;
        };
        if let Some(reason) = fields.get("finish_reason").cloned()
            && reasons.insert(index, reason.clone()) == Some(reason)
        {
            fields.remove("finish_reason");
        }
        fields.keys().any(|name| name != "index")
    });
}

proptest! {
    #![proptest_config(support::documents::random_cases())]

    #[test]
    fn splits_never_matter(
        body in prop_oneof![4 => body(), 1 => vec(any::<u8>(), 0..200)],
        positions in vec(0..2000_usize, 0..8), format in format(), joins: bool, limit in limit(),
    ) {
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        let expected = everything(&bytes, format, joins, limit);
        for pieces in [vec![&body[..]], cut(&body, &positions)] {
            let (outcome, rest) = everything(&pieces, format, joins, limit);
            prop_assert_eq!(outcome, expected.0.expected_for(&pieces));
            prop_assert_eq!(&rest, &expected.1);
        }
    }

    #[test]
    fn a_payload_is_read_alike_whatever_came_before_it(
        payloads in payloads(WITHOUT_CALLS, 2), format in format(), is_whole: bool,
    ) {
        // Halves of pairs that wait for the next payload are a story of their own: no joining here.
        let expected = alone(&payloads, format, false);
        let body = format!("data: {}\n\n", payloads.join("\n\ndata: "));
        let mut decoder = StreamDecoder::new(format, false, NO_LIMIT);
        let outcome = if is_whole {
            run(&mut decoder, &[body.as_bytes()])
        } else {
            run_each_byte(&mut decoder, body.as_bytes())
        };
        prop_assert_eq!(outcome.items, expected.deltas);
        prop_assert_eq!(decoder.failure().cloned(), expected.failure);
    }

    #[test]
    fn white_space_in_payloads_changes_nothing(
        payloads in payloads(TEMPLATES.len(), 2), format in format(), joins: bool,
    ) {
        // No two payloads have the same amount of it: none compares equal to a known one.
        let spaced = payloads.iter().enumerate().map(|(at, payload)| {
            payload.replacen('{', &("{".to_owned() + &" ".repeat(at)), 1)
        });
        let body = |payloads: Vec<String>| format!("data: {}\n\n", payloads.join("\n\ndata: "));
        let [plain, spaced] = [payloads.clone(), spaced.collect()].map(|payloads| {
            let mut decoder = StreamDecoder::new(format, joins, NO_LIMIT);
            let outcome = run(&mut decoder, &[body(payloads).as_bytes()]);
            let ended = (decoder.ended(), decoder.failure().is_some());
            (outcome.items, ended, decoder.text().to_owned())
        });
        prop_assert_eq!(plain, spaced);
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
        at: prop::sample::Index, edits in vec(edit(), 1..4), positions in vec(0..1500_usize, 0..6),
    ) {
        let cases = WIRE.get_or_init(|| {
            let cases = wire().into_iter().map(|wire| (wire.format, wire.body));
            cases.collect()
        });
        let (format, body) = at.get(cases);
        let body = edited(&String::from_utf8_lossy(body), &edits).into_bytes();
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        let expected = everything(&bytes, *format, true, NO_LIMIT);
        for pieces in [vec![&body[..]], cut(&body, &positions)] {
            let (outcome, rest) = everything(&pieces, *format, true, NO_LIMIT);
            prop_assert_eq!(outcome, expected.0.expected_for(&pieces));
            prop_assert_eq!(&rest, &expected.1);
        }
    }

    #[test]
    fn no_order_of_calls_panics(
        body in body(), positions in vec(0..900_usize, 0..6), closes in vec(any::<bool>(), 8), format in format(), limit in limit(),
    ) {
        let mut decoder = StreamDecoder::new(format, true, limit);
        let mut items = Vec::new();
        for (piece, closes) in cut(&body, &positions).into_iter().zip(closes) {
            decoder.feed(piece, &mut support::deltas::Collect(&mut items));
            if closes {
                decoder.close(&mut support::deltas::Collect(&mut items));
            }
        }
    }
}

/// The bodies of the wire vectors, read once.
static WIRE: std::sync::OnceLock<Vec<(Format, Vec<u8>)>> = std::sync::OnceLock::new();
