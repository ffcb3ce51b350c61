//! `wire`: whole answers, as `vectors/wires.json` has them; what a decoder writes, however its bytes arrive.
#![allow(clippy::unwrap_used, reason = "what a vector lacks fails its test")]

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;

use millstream::decode::{Format, StreamDecoder};
use millstream::delta::{Delta, ResponseInfo, Sink, ToolCallDelta};
use millstream::json::{Reader, is_valid, write_compact};
use millstream::wire::{Failure, Part, Settings, Source, WireName, WireWriter};
use support::vectors::wire as bodies;

/// The members of an object, as they are written.
type Members<'p> = BTreeMap<String, &'p str>;

fn members(object: &str) -> Members<'_> {
    let mut found = Members::new();
    let mut reader = Reader::new(object);
    assert_eq!(reader.peek(), b'{', "{object}");
    let read = reader.members(|reader, name| {
        found.insert(name.to_owned(), reader.value()?);
        Ok(())
    });
    read.unwrap();
    found
}

fn elements(array: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut reader = Reader::new(array);
    assert_eq!(reader.peek(), b'[', "{array}");
    let read = reader.elements(|reader| {
        found.push(reader.value()?);
        Ok(())
    });
    read.unwrap();
    found
}

fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).unwrap()
}

fn text<'p>(fields: &Members<'_>, name: &str) -> Option<Cow<'p, str>> {
    let text = fields.get(name).and_then(|text| string(text));
    text.filter(|text| !text.is_empty()).map(Cow::Owned)
}

fn delta<'p>(fields: &Members<'p>) -> Delta<'p> {
    let calls = fields
        .get("tool_calls")
        .map_or(Vec::new(), |calls| elements(calls));
    let calls = calls.into_iter().map(|call| {
        let mut fields = elements(call).into_iter();
        let index = fields.next().unwrap().parse().unwrap();
        let mut field = || fields.next().and_then(string).map(Cow::Owned);
        ToolCallDelta {
            index,
            id: field(),
            name: field(),
            args: field(),
        }
    });
    let kept = |name| fields.get(name).copied();
    Delta {
        index: kept("index").map_or(0, |index| index.parse().unwrap()),
        role: text(fields, "role"),
        text: text(fields, "text"),
        reasoning: text(fields, "reasoning"),
        refusal: text(fields, "refusal"),
        tool_calls: calls.collect(),
        finish_reason: text(fields, "finish_reason"),
        usage: kept("usage"),
        error: None,
        logprobs: kept("logprobs"),
        audio: kept("audio"),
    }
}

/// The end of an answer that failed, with the defaults of the class.
fn fail(writer: &mut WireWriter, out: &mut Vec<u8>, fields: &Members<'_>) {
    let code = text(fields, "code");
    writer.fail(
        out,
        &Failure {
            message: &text(fields, "message").unwrap_or_default(),
            kind: &text(fields, "type").unwrap_or("server_error".into()),
            code: code.as_deref(),
            status: fields
                .get("status")
                .map_or(500, |status| status.parse().unwrap()),
        },
    );
}

/// Makes one call, unless the wire cannot carry the part.
fn step(writer: &mut WireWriter, out: &mut Vec<u8>, method: &str, fields: &Members<'_>) {
    let part = match method {
        "write_source" => Some(Part::Sources),
        "write_data" => Some(Part::Data),
        "write_snapshot" => Some(Part::Snapshots),
        _ => None,
    };
    if part.is_some_and(|part| writer.check(part).is_err()) {
        return;
    }
    writer.begin(out);
    let value = |name| text(fields, name).unwrap_or_default();
    match method {
        "start" => {}
        "write" => writer.delta(out, &delta(fields)),
        "write_text" if value("text").is_empty() => {}
        "write_text" => writer.text(out, 0, &value("text")),
        "write_tool_result" => writer.tool_result(out, &value("tool_call_id"), &value("text")),
        "write_source" => {
            let (url, title, id) = (&value("url"), &value("title"), &value("id"));
            writer.source(out, &Source { url, title, id });
        }
        "write_data" => {
            let mut document = Vec::new();
            write_compact(&mut document, &value("json"));
            writer.data(out, &document);
        }
        "write_snapshot" => {
            writer.snapshot(out, &value("text"), fields["dropped"].parse().unwrap());
        }
        "fail" => fail(writer, out, fields),
        _ => writer.close(out),
    }
}

fn settings(options: Option<&&str>) -> Settings {
    let options = options.map_or(Members::new(), |options| members(options));
    let flag = |name, default| options.get(name).map_or(default, |flag| *flag == "true");
    let value = |name| text(&options, name).unwrap_or_default().into_owned();
    Settings {
        id: "a1".to_owned(),
        created: 1_700_000_000,
        model: text(&options, "model").map_or("m".to_owned(), Cow::into_owned),
        include_usage: flag("include_usage", true),
        all_choices: flag("all_choices", false),
        thread_id: value("thread_id"),
        run_id: value("run_id"),
    }
}

#[test]
fn answers_are_written_as_the_vectors_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/wires.json");
    // The file has halves of surrogate pairs, which no Rust string can hold.
    let (raw, mut file) = (std::fs::read_to_string(path).unwrap(), Vec::new());
    write_compact(&mut file, &raw);
    let file = String::from_utf8(file).unwrap();
    let cases = elements(members(&file)["cases"]);
    assert!(cases.len() >= 40);
    for case in cases {
        let case = members(case);
        for (wire, expected) in members(case["expected"]) {
            let name = WireName::from_name(&wire).unwrap();
            let mut writer = WireWriter::new(name, settings(case.get("options")));
            let mut out = Vec::new();
            for call in elements(case["calls"]) {
                let call = elements(call);
                let method = string(call[0]).unwrap();
                step(&mut writer, &mut out, &method, &members(call[1]));
            }
            let found = String::from_utf8(out).unwrap();
            assert_eq!(Some(found), string(expected), "{wire}: {}", case["name"]);
        }
    }
}

/// Writes what a decoder hands out.
struct Writing<'w>(&'w mut WireWriter, Vec<u8>);

impl Sink for Writing<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.0.delta(&mut self.1, delta);
    }

    fn text(&mut self, index: u32, text: &str) {
        self.0.text(&mut self.1, index, text);
    }

    fn response_info(&mut self, info: &ResponseInfo) {
        self.0.response_info(info);
    }
}

fn transcoded(format: Format, wire: WireName, pieces: &[&[u8]]) -> String {
    let mut writer = WireWriter::new(wire, Settings::default());
    let mut sink = Writing(&mut writer, Vec::new());
    let mut decoder = StreamDecoder::new(format, true, 1 << 24);
    decoder.report_info();
    for piece in pieces {
        decoder.feed(piece, &mut sink);
    }
    decoder.close(&mut sink);
    let mut out = sink.1;
    writer.begin(&mut out);
    writer.close(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_body_is_written_alike_however_it_arrives_and_all_data_are_valid_json() {
    for body in bodies() {
        for wire in WireName::ALL {
            let whole = transcoded(body.format, wire, &[&body.body]);
            for size in [1, 7, 100] {
                let pieces: Vec<&[u8]> = body.body.chunks(size).collect();
                assert_eq!(transcoded(body.format, wire, &pieces), whole);
            }
            let data = whole.lines().filter_map(|line| line.strip_prefix("data: "));
            let records: Vec<&str> = match wire {
                WireName::Text => Vec::new(),
                WireName::Ndjson => whole.lines().collect(),
                _ => data.filter(|data| *data != "[DONE]").collect(),
            };
            for record in records {
                assert!(is_valid(record), "{}: {record}", wire.name());
            }
        }
    }
}
