//! `StreamDecoder` of every format, in every framing: splits never matter, nor whether payloads are compared or read
//! whole; what comes out of a payload comes between its beginning and its end; nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream::decode::{Format, StreamDecoder};
use millstream::delta::{Delta, ResponseInfo, Sink};
use millstream_fuzz::{FORMATS, Input};

/// Keeps what comes out, printed: it borrows from the read it came in.
#[derive(Debug, Default, PartialEq)]
struct Reports {
    found: Vec<String>,
    is_in_payload: bool,
}

impl Sink for Reports {
    fn delta(&mut self, delta: &Delta<'_>) {
        assert!(!delta.is_empty(), "an empty delta came out");
        self.found.push(format!("{delta:?}"));
    }

    fn begin_payload(&mut self, payload: &[u8], is_plain: bool) {
        assert!(!self.is_in_payload, "a payload began in another");
        self.is_in_payload = true;
        self.found.push(format!("{payload:?} {is_plain}"));
    }

    fn end_payload(&mut self) {
        assert!(self.is_in_payload, "a payload ended that had not begun");
        self.is_in_payload = false;
    }

    fn response_info(&mut self, info: &ResponseInfo) {
        self.found.push(format!("{info:?}"));
    }
}

fn decoder(input: &Input<'_>, format: Format) -> StreamDecoder {
    let decoder = StreamDecoder::new(format, !input.is_set(1), input.limit());
    let mut decoder = if input.is_set(2) {
        decoder.of_one_choice()
    } else {
        decoder
    };
    if input.is_set(3) {
        decoder.report_info();
    }
    decoder
}

fn read(mut decoder: StreamDecoder, pieces: &[&[u8]]) -> (Reports, String) {
    let mut reports = Reports::default();
    for piece in pieces {
        decoder.feed(piece, &mut reports);
    }
    decoder.close(&mut reports);
    assert!(decoder.is_done() && !reports.is_in_payload);
    let state = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        decoder.format(),
        decoder.ended(),
        decoder.failure(),
        decoder.text(),
        decoder.finish_reason(),
        decoder.usage(),
        decoder.error(),
        decoder.seen(),
        decoder.deltas_seen(),
    );
    (reports, state)
}

fuzz_target!(|data: &[u8]| {
    let Some((number, data)) = data.split_first() else {
        return;
    };
    let name = FORMATS[usize::from(*number) % FORMATS.len()];
    let (Some(input), Some(format)) = (Input::new(data), Format::from_name(name)) else {
        return;
    };
    let whole = read(decoder(&input, format), &[input.body]);
    for (decoder, pieces) in [
        (decoder(&input, format), input.bytes()),
        (decoder(&input, format), input.pieces()),
        (
            decoder(&input, format).without_comparison(),
            vec![input.body],
        ),
    ] {
        assert_eq!(read(decoder, &pieces), whole);
    }
});
