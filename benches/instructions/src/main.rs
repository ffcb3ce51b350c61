//! Runs one hot loop of the core over a stream: `millstream-instructions LOOP FORMAT < stream`.
//!
//! The stream on stdin is a sequence of reads, each after its length in four bytes. The instructions of
//! [`measured`] are counted by the program that runs this one; it prints the size of the loop's output.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use millstream::decode::{Format, StreamDecoder};
use millstream::delta::{Delta, Sink};
use millstream::json::JsonAssembler;
use millstream::record::Records;
use millstream::sse::{Event, SseParser};

const NO_LIMIT: usize = 1 << 24;
const PREFIX: &[u8] =
    b"data: {\"event\":\"on_chat_model_stream\",\"data\":{\"chunk\":{\"content\":";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(format)) = (arguments.next(), arguments.next()) else {
        return ExitCode::from(2);
    };
    let mut stream = Vec::new();
    if io::stdin().read_to_end(&mut stream).is_err() {
        return ExitCode::FAILURE;
    }
    let reads = split(&stream);
    let Some(size) = measured(&name, &format, black_box(&reads)) else {
        return ExitCode::from(2);
    };
    match writeln!(io::stdout(), "{size}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The reads of a stream.
fn split(mut stream: &[u8]) -> Vec<&[u8]> {
    let mut reads = Vec::new();
    while let Some((size, rest)) = stream.split_first_chunk::<4>() {
        let (read, rest) = rest.split_at(u32::from_be_bytes(*size) as usize);
        reads.push(read);
        stream = rest;
    }
    reads
}

/// The size of the output of a loop; `None` if there is no such loop or format.
#[inline(never)]
fn measured(name: &str, format: &str, reads: &[&[u8]]) -> Option<usize> {
    match name {
        "sse" => Some(events(reads)),
        "json" => documents(reads),
        "text" => Some(text(Format::from_name(format)?, reads)),
        "records" => Some(records(Format::from_name(format)?, reads)),
        _ => None,
    }
}

fn events(reads: &[&[u8]]) -> usize {
    let mut size = 0;
    let mut parser = SseParser::new(NO_LIMIT, false);
    for data in reads {
        parser.feed(data, &mut |event: Event<'_>| size += event.data.len());
    }
    size
}

/// The text of a stream, as `feed_text` has it.
struct Text(usize);

impl Sink for Text {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.0 += delta.text.as_ref().map_or(0, |text| text.len());
    }

    fn text(&mut self, _: u32, text: &str) {
        self.0 += text.len();
    }
}

fn text(format: Format, reads: &[&[u8]]) -> usize {
    let mut text = Text(0);
    let mut decoder = StreamDecoder::new(format, true, NO_LIMIT);
    for data in reads {
        decoder.feed(data, &mut text);
    }
    text.0
}

fn records(format: Format, reads: &[&[u8]]) -> usize {
    let mut decoder = StreamDecoder::new(format, true, NO_LIMIT);
    let (mut buffer, mut size) = (Vec::new(), 0);
    for data in reads {
        let mut records = Records::with_buffer(buffer, PREFIX, b"}}}\n\n");
        decoder.feed(data, &mut records);
        size += records.bytes().len();
        buffer = records.take_buffer();
    }
    size
}

/// A document that is read piece by piece, with its changes after each piece.
fn documents(reads: &[&[u8]]) -> Option<usize> {
    let mut assembler = JsonAssembler::new(true);
    let mut size = 0;
    for data in reads {
        if assembler.feed(std::str::from_utf8(data).ok()?).is_some() {
            return None;
        }
        size += assembler.changes(true, 4300).len();
    }
    Some(size)
}
