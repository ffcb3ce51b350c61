//! Payloads as servers send them, one much like the one before: what decoders are made for.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::documents::{Edit, edit, edited, string};
use super::formats::Template;

/// `S` stands for a string, `N` for a number, `J` for any value, mostly one that says nothing.
const TEMPLATES: [&str; 16] = [
    r#"{"choices":[{"index":N,"text":S,"delta":{"content":S},"error":J,"usage":J}],"x_groq":{"error":J}}"#,
    r#"{"choices":J,"message":S,"code":J,"detail":J,"error_type":J,"type":S,"status":N,"object":J}"#,
    r#"{"id":S,"model":S,"choices":[{"index":N,"text":S,"delta":{"content":S}}],"system_fingerprint":S}"#,
    r#"{"id":"c","model":S,"service_tier":S,"choices":[{"text":S,"delta":{"role":S,"content":S}}]}"#,
    r#"{"id":S,"choices":[{"text":S,"index":N,"logprobs":null,"finish_reason":null}]}"#,
    r#"{"id":"c","choices":[{"text":S,"index":N,"logprobs":J,"finish_reason":J}],"usage":J,"model":S}"#,
    r#"{"id": "c", "choices": [{"index": N, "delta": {"content": S}, "finish_reason": null}], "obfuscation": S}"#,
    r#"{"choices":[{"index":N,"delta":{"role":S,"content":S,"refusal":J},"finish_reason":J}],"created":N}"#,
    r#"{"choices":[{"delta":{"role":J,"content":J,"reasoning_content":J,"reasoning":J},"text":J}],"created":N,"x":S}"#,
    r#"{"choices":[{"index":N,"delta":{"content":S}},{"index":N,"text":S,"delta":{"refusal":S}}]}"#,
    r#"{"choices":[{"delta":{"content":[{"type":"text","text":S},{"type":"thinking","thinking":[{"text":S}]}]}}]}"#,
    r#"{"choices":[{"text":S,"delta":{"content":S},"x":N}],"usage":J,"x_groq":{"usage":J},"error":J,"object":J}"#,
    r#"{"choices":[{"delta":{"content":S,"x":J,"x":J},"delta":J,"text":J,"text":J}],"n":-N.Ne-N,"error":J}"#,
    r#"{"choices":J,"service_tier":S,"choices":[J,{"text":S,"delta":{"content":S}}]}"#,
    r#"{"choices":[{"index":N,"delta":{"content":J,"tool_calls":[{"index":N,"id":S,"function":{"arguments":S}}]}}]}"#,
    r#"{"choices":[{"delta":{"content":S,"tool_calls":[{"id":J,"function":{"name":J}}],"function_call":J}}]}"#,
];

/// What may stand in one hole, for each of the letters.
type Fill = [String; 3];

/// More than any template has holes.
const HOLES: usize = 12;

fn fill() -> impl Strategy<Value = Fill> {
    const PLAIN: &[&str] = &["\"\"", "\"a\"", "\"error\"", "\"stop\"", "\"length\""];
    const NUMBERS: &[&str] = &[
        "0",
        "0",
        "0",
        "1",
        "1",
        "2",
        "17",
        "4294967296",
        "-1",
        "1.5",
        "NaN",
        "-Infinity",
        "01",
        "null",
        "\"1\"",
    ];
    const NOTHING: &[&str] = &["null", "null", "\"\"", "5", "true", "[]", "NaN"];
    const SOMETHING: &[&str] = &[
        "{}",
        "{\"n\":1}",
        "{\"arguments\":\"{}\"}",
        "{\"content\":\"b\"}",
        "[{\"text\":\"c\"}]",
    ];
    let text = || prop_oneof![3 => select(PLAIN).prop_map(str::to_owned), 2 => string()];
    let texts = prop_oneof![12 => text(), 1 => select(NOTHING).prop_map(str::to_owned)];
    let numbers = select(NUMBERS).prop_map(str::to_owned);
    let values = prop_oneof![
        4 => select(NOTHING).prop_map(str::to_owned),
        2 => text(),
        1 => select(SOMETHING).prop_map(str::to_owned),
    ];
    (texts, numbers, values).prop_map(|(text, number, value)| [text, number, value])
}

fn filled(template: &str, fills: &[Fill]) -> String {
    let mut fills = fills.iter();
    let mut out = String::new();
    for character in template.chars() {
        match "SNJ".find(character) {
            Some(letter) => out += fills.next().map_or("null", |fill| &fill[letter]),
            None => out.push(character),
        }
    }
    out
}

/// One payload of a run: what differs from the run's first fillings, and edits.
fn changes(edits: usize) -> impl Strategy<Value = (Vec<(usize, Fill)>, Vec<Edit>)> {
    let differing = vec((0..HOLES, fill()), 0..3);
    let edits = prop_oneof![3 => Just(Vec::new()), 1 => vec(edit(), 0..=edits)];
    (differing, edits)
}

/// Runs of payloads, each of one template: in a run few fillings change, and few
/// payloads are edited, up to `edits` times each.
pub fn payloads(edits: usize) -> impl Strategy<Value = Vec<String>> {
    let templates: Vec<Template> = TEMPLATES.iter().map(|text| ("", *text)).collect();
    let text = |(_, text): (&str, String)| text;
    payloads_of(templates, edits).prop_map(move |payloads| payloads.into_iter().map(text).collect())
}

/// The same of these templates, each payload with its event.
pub fn payloads_of(
    templates: Vec<Template>,
    edits: usize,
) -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let run = (
        select(templates),
        vec(fill(), HOLES),
        vec(changes(edits), 1..6),
    );
    vec(run, 1..4).prop_map(|runs| {
        let mut payloads = Vec::new();
        for ((event, template), fills, run) in runs {
            for (differing, edits) in run {
                let mut fills = fills.clone();
                for (hole, fill) in differing {
                    fills[hole] = fill;
                }
                payloads.push((event, edited(&filled(template, &fills), &edits)));
            }
        }
        payloads
    })
}
