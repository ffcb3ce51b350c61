//! `StreamDecoder` compares payloads with known ones instead of reading them: it accepts, refuses
//! and hands out what reading them whole does, whatever it has seen before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream::decode::{Format, StreamDecoder};
use millstream::delta::{Delta, ResponseInfo, Sink};
use millstream_fuzz::{Input, edited_payloads};

/// Keeps deltas and descriptions of the response, printed: they borrow from the read they came in.
#[derive(Debug, Default, PartialEq)]
struct Deltas(Vec<String>);

impl Sink for Deltas {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.0.push(format!("{delta:?}"));
    }

    fn response_info(&mut self, info: &ResponseInfo) {
        self.0.push(format!("{info:?}"));
    }
}

fn read(input: &Input<'_>, body: &[u8], is_whole: bool) -> (Deltas, String) {
    let format = if input.is_set(0) {
        Format::OPENAI_COMPLETIONS
    } else {
        Format::OPENAI_CHAT
    };
    let mut decoder = StreamDecoder::new(format, !input.is_set(1), 1 << 24);
    if input.is_set(2) {
        decoder = decoder.of_one_choice();
    }
    let mut decoder = if is_whole {
        decoder.without_comparison()
    } else {
        decoder
    };
    if input.is_set(2) {
        decoder.report_info();
    }
    let mut deltas = Deltas::default();
    decoder.feed(body, &mut deltas);
    decoder.close(&mut deltas);
    let seen = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        decoder.ended(),
        decoder.failure(),
        decoder.text(),
        decoder.finish_reason(),
        decoder.usage(),
        decoder.error(),
        decoder.seen(),
        decoder.contents_seen(),
    );
    (deltas, seen)
}

/// `body` with `between` before the first member of each third payload, and lines that end in `end`:
/// a payload in two lines, or one that looks so but for a field name.
fn over_lines(body: &[u8], between: &str, end: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let frames = text.split_inclusive("\n\n").enumerate();
    let frames = frames.map(|(number, frame)| match number % 3 {
        1 => frame.replacen('{', &format!("{{{between}"), 1),
        _ => frame.to_owned(),
    });
    frames.collect::<String>().replace('\n', end).into_bytes()
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else {
        return;
    };
    let edited = edited_payloads(input.body);
    let ends = if input.is_set(3) { "\r\n" } else { "\n" };
    for body in [
        input.body.to_vec(),
        over_lines(&edited, "", ends),
        over_lines(&edited, "\ndata: ", ends),
        over_lines(&edited, "\n", ends),
    ] {
        assert_eq!(read(&input, &body, false), read(&input, &body, true));
    }
});
