//! `WireWriter`: any split of a stream gives the same bytes on every wire; records are valid JSON; nothing panics, and
//! the output grows with the input alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream::decode::{Format, StreamDecoder};
use millstream::delta::{Delta, ResponseInfo, Sink};
use millstream::json::is_valid;
use millstream::wire::{Failure, Part, Settings, Source, WireName, WireWriter};
use millstream_fuzz::Input;

struct Writing {
    writer: WireWriter,
    out: Vec<u8>,
}

impl Sink for Writing {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.writer.delta(&mut self.out, delta);
    }

    fn text(&mut self, index: u32, text: &str) {
        self.writer.text(&mut self.out, index, text);
    }

    fn response_info(&mut self, info: &ResponseInfo) {
        self.writer.response_info(info);
    }
}

/// Writes a stream, then a source and a tool's result where the wire has them, then the end.
fn write(input: &Input<'_>, wire: WireName, pieces: &[&[u8]]) -> Vec<u8> {
    let format = if input.is_set(0) {
        Format::OPENAI_COMPLETIONS
    } else {
        Format::OPENAI_CHAT
    };
    let settings = Settings {
        id: "a".to_owned(),
        include_usage: true,
        all_choices: input.is_set(1),
        ..Settings::default()
    };
    let mut sink = Writing {
        writer: WireWriter::new(wire, settings),
        out: Vec::new(),
    };
    let mut decoder = StreamDecoder::new(format, true, 1 << 24);
    decoder.report_info();
    for piece in pieces {
        decoder.feed(piece, &mut sink);
    }
    decoder.close(&mut sink);
    let Writing {
        mut writer,
        mut out,
    } = sink;
    writer.begin(&mut out);
    if input.is_set(2) {
        let source = Source {
            url: "u",
            title: "",
            id: "",
        };
        if writer.check(Part::Sources).is_ok() {
            writer.source(&mut out, &source);
        }
        writer.tool_result(&mut out, "call_a_1", "r");
        writer.text(&mut out, 0, "t");
    }
    if input.is_set(3) {
        let failure = Failure {
            message: "m",
            kind: "k",
            code: None,
            status: 500,
        };
        writer.fail(&mut out, &failure);
    } else {
        writer.close(&mut out);
    }
    out
}

fn check(wire: WireName, out: &[u8], size: usize) {
    let Ok(text) = std::str::from_utf8(out) else {
        panic!("{} is not UTF-8", wire.name());
    };
    // A record repeats a few hundred constant bytes; a choice takes a few bytes of input.
    assert!(
        out.len() <= 16384 + 600 * size,
        "{} grows too fast",
        wire.name()
    );
    let data = text
        .split('\n')
        .filter_map(|line| line.strip_prefix("data: "));
    let is_record = |data: &&str| *data != "[DONE]";
    match wire {
        WireName::Text => {}
        WireName::Ndjson => assert!(text.split_terminator('\n').all(is_valid)),
        _ => assert!(data.filter(is_record).all(is_valid), "{text}"),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else {
        return;
    };
    for wire in WireName::ALL {
        let whole = write(&input, wire, &[input.body]);
        check(wire, &whole, input.body.len());
        assert!(write(&input, wire, &input.bytes()) == whole);
        assert!(write(&input, wire, &input.pieces()) == whole);
    }
});
