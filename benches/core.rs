//! What the core costs per byte: events, deltas, wires, text, JSON.
//!
//! `cargo bench` runs all, `cargo bench -- decode` those with `decode` in their name. Every output is
//! checked before it is timed.
#![allow(missing_docs, reason = "criterion's macro makes a public function")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millstream::decode::{Ended, Format, StreamDecoder};
use millstream::delta::{Delta, Sink};
use millstream::json;
use millstream::record::Records;
use millstream::sse::{Event, SseParser};
use millstream::text::TextAssembler;
use millstream::utf8::Errors;
use millstream::wire::{Settings, WireName, WireWriter};

const DELTAS: usize = 1000;
const NO_LIMIT: usize = 1 << 24;

/// Words as a model gives them out: mostly short and ASCII, some escaped, some neither.
const WORDS: [&str; 10] = [
    " the",
    " river",
    " runs",
    ",",
    " clear",
    "\\n",
    " \u{17e}lu\u{165}",
    "\\\"",
    " \u{1f600}",
    "ing",
];

/// A stream of a thousand deltas.
struct Body {
    name: &'static str,
    format: Format,
    bytes: Vec<u8>,
}

fn completions() -> Body {
    let frame = |at: usize| {
        format!(
            "data: {{\"id\":\"cmpl-8f2d61c0a7\",\"object\":\"text_completion\",\"created\":1760000000,\
             \"choices\":[{{\"index\":0,\"text\":\"{}\",\"logprobs\":null,\"finish_reason\":null}}],\
             \"model\":\"gpt-3.5-turbo-instruct\",\"system_fingerprint\":\"fp_50cad350e4\"}}\n\n",
            WORDS[at % WORDS.len()]
        )
    };
    let bytes = body((0..DELTAS).map(frame));
    Body {
        name: "completions",
        format: Format::OPENAI_COMPLETIONS,
        bytes,
    }
}

fn chat() -> Body {
    let frame = |at: usize| {
        format!(
            "data: {{\"id\":\"chatcmpl-C3vK9mQ2\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\
             \"model\":\"gpt-5-mini\",\"service_tier\":\"default\",\"system_fingerprint\":null,\"choices\":\
             [{{\"index\":0,\"delta\":{{\"content\":\"{}\"}},\"logprobs\":null,\"finish_reason\":null}}],\
             \"obfuscation\":\"{}\"}}\n\n",
            WORDS[at % WORDS.len()],
            &"q8Lw1k3Zx7"[..at % 10],
        )
    };
    let bytes = body((0..DELTAS).map(frame));
    Body {
        name: "chat",
        format: Format::OPENAI_CHAT,
        bytes,
    }
}

fn body(frames: impl Iterator<Item = String>) -> Vec<u8> {
    let frames: String = frames.collect();
    (frames + "data: [DONE]\n\n").into_bytes()
}

/// The ways in which a body may be read, by name.
fn reads(body: &[u8]) -> [(&'static str, Vec<&[u8]>); 4] {
    let ends = body
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| *pair == b"\n\n");
    let mut start = 0;
    let events = ends.map(|(at, _)| &body[std::mem::replace(&mut start, at + 2)..at + 2]);
    [
        ("event", events.collect()),
        ("64KB", body.chunks(64 * 1024).collect()),
        ("1460B", body.chunks(1460).collect()),
        ("1B", body.chunks(1).collect()),
    ]
}

/// Counts deltas and the bytes of their text, which is what a caller cannot do without.
#[derive(Default)]
struct Count {
    deltas: usize,
    text: usize,
}

impl Sink for Count {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.deltas += 1;
        self.text += delta.text.as_ref().map_or(0, |text| text.len());
    }
}

fn count_events(reads: &[&[u8]]) -> (usize, usize) {
    let (mut events, mut size) = (0, 0);
    let mut parser = SseParser::new(NO_LIMIT, false);
    for data in reads {
        parser.feed(data, &mut |event: Event<'_>| {
            events += 1;
            size += event.data.len();
        });
    }
    (events, size)
}

fn decode(format: Format, reads: &[&[u8]]) -> (Count, Option<Ended>) {
    let mut count = Count::default();
    let mut decoder = StreamDecoder::new(format, true, NO_LIMIT);
    for data in reads {
        decoder.feed(data, &mut count);
    }
    (count, decoder.ended())
}

fn assemble(pieces: &[&[u8]]) -> usize {
    let mut assembler = TextAssembler::new(Errors::Replace);
    let fed: usize = pieces
        .iter()
        .map(|piece| assembler.feed_bytes(piece).0.len())
        .sum();
    fed + assembler.close().0.len()
}

fn sse(criterion: &mut Criterion) {
    let body = completions().bytes;
    // Without `data: ` in front and the blank line behind, of every frame and of the sentinel.
    let size = body.len() - (DELTAS + 1) * 8;
    let mut group = criterion.benchmark_group("sse");
    group.throughput(Throughput::Bytes(body.len() as u64));
    for (name, reads) in reads(&body) {
        assert_eq!(count_events(&reads), (DELTAS + 1, size));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| count_events(black_box(&reads)));
        });
    }
    group.finish();
}

fn decoder(criterion: &mut Criterion) {
    let words = WORDS.concat().replace("\\n", "\n").replace("\\\"", "\"");
    let text = words.len() * DELTAS / WORDS.len();
    for body in [completions(), chat()] {
        let mut group = criterion.benchmark_group(format!("decode/{}", body.name));
        group.throughput(Throughput::Bytes(body.bytes.len() as u64));
        for (name, reads) in reads(&body.bytes) {
            let (count, ended) = decode(body.format, &reads);
            assert_eq!((count.deltas, count.text), (DELTAS, text));
            assert_eq!(ended, Some(Ended::Done));
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                bencher.iter(|| decode(body.format, black_box(&reads)));
            });
        }
        group.finish();
    }
}

/// Writes deltas on a wire.
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
}

/// The size of what a wire has for a stream, without its end.
fn transcode(format: Format, wire: WireName, reads: &[&[u8]]) -> usize {
    let settings = Settings {
        id: "8f2d61c0a7".to_owned(),
        model: "gpt-5-mini".to_owned(),
        ..Settings::default()
    };
    let writer = WireWriter::new(wire, settings);
    let mut sink = Writing {
        writer,
        out: Vec::new(),
    };
    let mut decoder = StreamDecoder::new(format, true, NO_LIMIT);
    let mut size = 0;
    for data in reads {
        sink.out.clear();
        decoder.feed(data, &mut sink);
        size += sink.out.len();
    }
    size
}

/// The size of the same stream's records.
fn record(format: Format, reads: &[&[u8]]) -> usize {
    let prefix = b"data: {\"event\":\"on_chat_model_stream\",\"data\":{\"chunk\":{\"content\":";
    let mut decoder = StreamDecoder::new(format, true, NO_LIMIT);
    let (mut buffer, mut size) = (Vec::new(), 0);
    for data in reads {
        let mut records = Records::with_buffer(buffer, prefix, b"}}}\n\n");
        decoder.feed(data, &mut records);
        size += records.bytes().len();
        buffer = records.take_buffer();
    }
    size
}

fn wires(criterion: &mut Criterion) {
    let body = chat();
    for (name, reads) in reads(&body.bytes).into_iter().take(2) {
        let mut group = criterion.benchmark_group(format!("wires/{name}"));
        group.throughput(Throughput::Elements(DELTAS as u64));
        group.bench_function(BenchmarkId::from_parameter("records"), |bencher| {
            bencher.iter(|| record(body.format, black_box(&reads)));
        });
        for wire in WireName::ALL {
            assert!(transcode(body.format, wire, &reads) > DELTAS);
            group.bench_function(BenchmarkId::from_parameter(wire.name()), |bencher| {
                bencher.iter(|| transcode(body.format, wire, black_box(&reads)));
            });
        }
        group.finish();
    }
}

fn text(criterion: &mut Criterion) {
    let text = WORDS.concat().repeat(DELTAS);
    let mut group = criterion.benchmark_group("text");
    group.throughput(Throughput::Bytes(text.len() as u64));
    for size in [4, 64, 1460] {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        assert_eq!(assemble(&pieces), text.len());
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| assemble(black_box(&pieces)));
        });
    }
    group.finish();
}

fn reader(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json");
    for body in [completions(), chat()] {
        let frames = String::from_utf8_lossy(&body.bytes).into_owned();
        let payloads: Vec<&str> = frames
            .lines()
            .filter_map(|line| line.strip_prefix("data: {"))
            .collect();
        let payloads: Vec<String> = payloads.iter().map(|rest| format!("{{{rest}")).collect();
        let size: usize = payloads.iter().map(String::len).sum();
        assert_eq!(
            payloads
                .iter()
                .filter(|payload| json::is_valid(payload))
                .count(),
            DELTAS
        );
        assert!(!json::is_valid(&payloads[0].replace("}]", "}")));
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::from_parameter(body.name), |bencher| {
            bencher.iter(|| {
                black_box(&payloads)
                    .iter()
                    .filter(|payload| json::is_valid(payload))
                    .count()
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = core;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(2));
    targets = sse, decoder, wires, text, reader
}
criterion_main!(core);
