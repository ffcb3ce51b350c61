//! `StreamDecoder`: splits never matter, nor whether payloads are compared or read whole; text alone
//! agrees with the deltas; nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream::decode::{Ended, Format, StreamDecoder};
use millstream::delta::{Delta, Sink};
use millstream::error::Error;
use millstream_fuzz::Input;

/// Keeps deltas, printed: they borrow from the read they came in.
#[derive(Debug, Default, PartialEq)]
struct Deltas(Vec<String>);

impl Sink for Deltas {
    fn delta(&mut self, delta: &Delta<'_>) {
        assert!(!delta.is_empty(), "an empty delta came out");
        self.0.push(format!("{delta:?}"));
    }
}

/// Keeps choice 0's text, as text-only decoding hands it out.
#[derive(Debug, Default)]
struct Texts {
    found: Vec<String>,
    deltas_seen: u64,
}

impl Sink for Texts {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.deltas_seen += 1;
        match (delta.index, &delta.text) {
            (0, Some(text)) => self.found.push(text.clone().into_owned()),
            (0, None) if delta.finish_reason.is_some() => self.found.push(String::new()),
            _ => {}
        }
    }
}

/// Everything that can be seen of a decoder but for what it hands out.
#[derive(Debug, PartialEq)]
struct End {
    ended: Option<Ended>,
    failure: Option<Error>,
    text: String,
    deltas_seen: u64,
    finish_reason: Option<String>,
    usage: Option<String>,
    error: Option<String>,
    seen: String,
    has_whole_text: bool,
    contents_seen: u64,
}

fn decoder(input: &Input<'_>) -> StreamDecoder {
    let format = if input.is_set(0) {
        Format::OPENAI_COMPLETIONS
    } else {
        Format::OPENAI_CHAT
    };
    let decoder = StreamDecoder::new(format, !input.is_set(1), input.limit());
    if input.is_set(2) {
        decoder.of_one_choice()
    } else {
        decoder
    }
}

fn read(mut decoder: StreamDecoder, pieces: &[&[u8]], sink: &mut impl Sink) -> End {
    for piece in pieces {
        decoder.feed(piece, sink);
    }
    decoder.close(sink);
    assert!(decoder.is_done());
    assert!(decoder.ended().is_none() || decoder.failure().is_none());
    End {
        ended: decoder.ended(),
        failure: decoder.failure().cloned(),
        text: decoder.text().to_owned(),
        deltas_seen: decoder.deltas_seen(),
        finish_reason: decoder.finish_reason().map(str::to_owned),
        usage: decoder.usage().map(str::to_owned),
        error: decoder.error().map(str::to_owned),
        seen: format!("{:?}", decoder.seen()),
        has_whole_text: decoder.has_whole_text(),
        contents_seen: decoder.contents_seen(),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else {
        return;
    };
    let mut deltas = Deltas::default();
    let whole = read(decoder(&input), &[input.body], &mut deltas);
    for (decoder, pieces) in [
        (decoder(&input), input.bytes()),
        (decoder(&input), input.pieces()),
        (decoder(&input).without_comparison(), vec![input.body]),
    ] {
        let mut others = Deltas::default();
        assert_eq!(read(decoder, &pieces, &mut others), whole);
        assert_eq!(others, deltas);
    }
    let mut texts = Texts::default();
    assert_eq!(read(decoder(&input), &input.pieces(), &mut texts), whole);
    let text = texts.found.concat();
    assert!(text.starts_with(&whole.text));
    assert_eq!(text.len() == whole.text.len(), whole.has_whole_text);
    assert_eq!(texts.deltas_seen, whole.deltas_seen);
    assert_eq!(deltas.0.len() as u64, whole.deltas_seen);
});
