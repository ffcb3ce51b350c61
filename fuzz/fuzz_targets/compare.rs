//! `StreamDecoder` compares payloads with known ones instead of reading them: it accepts, refuses
//! and hands out what reading them whole does, whatever it has seen before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream::decode::{Format, StreamDecoder};
use millstream::delta::{Delta, Sink};
use millstream_fuzz::{Input, edited_payloads};

/// Keeps deltas, printed: they borrow from the read they came in.
#[derive(Debug, Default, PartialEq)]
struct Deltas(Vec<String>);

impl Sink for Deltas {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.0.push(format!("{delta:?}"));
    }
}

fn read(input: &Input<'_>, body: &[u8], is_whole: bool) -> (Deltas, String) {
    let format = if input.is_set(0) {
        Format::OpenAiCompletions
    } else {
        Format::OpenAiChat
    };
    let mut decoder = StreamDecoder::new(format, !input.is_set(1), 1 << 24);
    if input.is_set(2) {
        decoder = decoder.of_one_choice();
    }
    let mut decoder = if is_whole {
        decoder.reading_whole()
    } else {
        decoder
    };
    let mut deltas = Deltas::default();
    decoder.feed(body, &mut deltas);
    decoder.close(&mut deltas);
    let seen = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        decoder.ended(),
        decoder.failure(),
        decoder.text(),
        decoder.finish_reason(),
        decoder.usage(),
        decoder.error(),
    );
    (deltas, seen)
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else {
        return;
    };
    for body in [input.body.to_vec(), edited_payloads(input.body)] {
        assert_eq!(read(&input, &body, false), read(&input, &body, true));
    }
});
