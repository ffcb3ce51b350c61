//! Every format: splits never matter, and comparing payloads says what reading them would.
#![allow(clippy::unwrap_used, reason = "what a template lacks fails its test")]

mod support;

use millstream::decode::{Format, StreamDecoder};
use millstream::delta::{Delta, ResponseInfo, Sink};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::deltas::delta_value;
use support::documents::random_cases;
use support::formats::{body, templates};
use support::payloads::payloads_of;
use support::reads::cut_at;

/// Keeps everything that a sink receives, printed, in order.
#[derive(Default)]
struct Reports(Vec<String>);

impl Sink for Reports {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.0.push(delta_value(delta).to_string());
    }

    fn begin_payload(&mut self, payload: &[u8], is_plain: bool) {
        self.0
            .push(format!("{:?} {is_plain}", String::from_utf8_lossy(payload)));
    }

    fn end_payload(&mut self) {
        self.0.push("end".to_owned());
    }

    fn response_info(&mut self, info: &ResponseInfo) {
        self.0.push(format!("{info:?}"));
    }
}

/// How a decoder is made.
#[derive(Clone, Copy, Debug)]
struct Options {
    format: Format,
    has_one_choice: bool,
    reports_info: bool,
    limit: usize,
}

fn reports(pieces: &[&[u8]], options: Options, compares: bool) -> Vec<String> {
    let mut decoder = StreamDecoder::new(options.format, true, options.limit);
    if options.has_one_choice {
        decoder = decoder.of_one_choice();
    }
    if !compares {
        decoder = decoder.without_comparison();
    }
    if options.reports_info {
        decoder.report_info();
    }
    let mut reports = Reports::default();
    for piece in pieces {
        decoder.feed(piece, &mut reports);
    }
    decoder.close(&mut reports);
    assert!(decoder.is_done());
    let (seen, format) = (decoder.seen(), decoder.format());
    let state = (decoder.ended(), decoder.failure(), decoder.text());
    let rest = (decoder.usage(), decoder.error(), decoder.finish_reason());
    reports
        .0
        .push(format!("{state:?} {rest:?} {seen:?} {format:?}"));
    reports.0
}

fn format() -> impl Strategy<Value = Format> {
    let formats = Format::all().filter(|format| *format != Format::AUTO);
    select(formats.collect::<Vec<_>>())
}

type Stream = (Format, Vec<(&'static str, String)>);

fn stream() -> impl Strategy<Value = Stream> {
    format().prop_flat_map(|format| (Just(format), payloads_of(templates(format), 1)))
}

proptest! {
    #![proptest_config(random_cases())]

    #[test]
    fn a_stream_of_any_format_reads_alike_at_every_split_and_without_comparison(
        (format, payloads) in stream(), is_own: bool, has_one_choice: bool, reports_info: bool,
        positions in vec(any::<Index>(), 0..8), end in select(vec!["\n", "\r\n"]), space in select(vec![" ", ""]),
        finds_format: bool, limit in prop_oneof![4 => Just(1 << 24), 1 => 60..300_usize],
    ) {
        let body = body(format, &payloads, is_own, [end, space]);
        let format = if finds_format { Format::AUTO } else { format };
        let options = Options { format, has_one_choice, reports_info, limit };
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        let expected = reports(&[&body], options, false);
        for pieces in [vec![&body[..]], cut_at(&body, &positions), bytes] {
            prop_assert_eq!(reports(&pieces, options, true), &expected[..]);
        }
    }
}
