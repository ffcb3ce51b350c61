//! Payloads like known ones: comparing with what came before says what reading anew would.

#![allow(clippy::unwrap_used, reason = "what a make lacks fails its test")]

mod support;

use millstream::decode::{Ended, Format, StreamDecoder};
use millstream::delta::{Delta, ResponseInfo, Sink};
use proptest::prelude::*;
use proptest::sample::select;
use support::deltas::delta_value;
use support::documents::random_cases;
use support::outcome::{Outcome, run};
use support::payloads::payloads;
use support::reads::splits;

const FORMATS: [Format; 2] = [Format::OPENAI_CHAT, Format::OPENAI_COMPLETIONS];

/// Keeps deltas and descriptions of the response, printed, in order.
#[derive(Default)]
struct Reports(Vec<String>);

impl Sink for Reports {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.0.push(delta_value(delta).to_string());
    }

    fn response_info(&mut self, info: &ResponseInfo) {
        self.0.push(format!("{info:?}"));
    }
}

/// Payloads as frames, one line each.
fn framed(payloads: &[impl AsRef<[u8]>], end: &str) -> Vec<u8> {
    let frames = payloads
        .iter()
        .map(|payload| [b"data: ", payload.as_ref(), end.as_bytes(), end.as_bytes()].concat());
    frames.collect::<Vec<_>>().concat()
}

/// What is reported of `body`, the description of the response too: compared, and each payload read.
fn reports(body: &[u8], format: Format) -> [Vec<String>; 2] {
    let decoder = || StreamDecoder::new(format, true, 1 << 24);
    [decoder(), decoder().without_comparison()].map(|mut decoder| {
        let mut reports = Reports::default();
        decoder.report_info();
        decoder.feed(body, &mut reports);
        decoder.close(&mut reports);
        reports.0.push(format!("{:?}", decoder.failure()));
        reports.0
    })
}

/// What the payloads say one after the other: as compared with known ones, and each read whole. Where
/// one choice was asked for, both must be equal.
fn compared_and_read(
    payloads: &[impl AsRef<[u8]>],
    format: Format,
    joins: bool,
) -> [(Outcome, String); 2] {
    let body = framed(payloads, "\n");
    let [compared, read] = outcomes(&body, format, joins, true);
    assert_eq!(compared, read, "with n=1");
    outcomes(&body, format, joins, false)
}

fn outcomes(
    body: &[u8],
    format: Format,
    joins: bool,
    has_one_choice: bool,
) -> [(Outcome, String); 2] {
    let decoder = || {
        let decoder = StreamDecoder::new(format, joins, 1 << 24);
        if has_one_choice {
            decoder.of_one_choice()
        } else {
            decoder
        }
    };
    [decoder(), decoder().without_comparison()].map(|mut decoder| {
        let outcome = run(&mut decoder, &[body]);
        let rest = format!(
            "{:?} {:?} {:?}",
            decoder.ended(),
            decoder.finish_reason(),
            decoder.usage()
        );
        (outcome, rest)
    })
}

/// Payloads with one string in the place of `@`, and everything else that a payload can say beside.
const MAKES: [&str; 41] = [
    r#"{"choices":[{"text":"@","delta":{"content":"@"}}]}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"},"finish_reason":"stop"}]}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"},"n":1,"finish_reason":"length"}]}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"},"finish_reason":""}]}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"},"logprobs":{"n":1}}]}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"},"index":1}]}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"}}],"usage":{"n":1}}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"}}],"x_groq":{"usage":{"n":1}}}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"}},{"text":"b","delta":{"content":"b"}}]}"#,
    r#"{"choices":[{"text":"b","delta":{"content":"b"}},{"text":"@","delta":{"content":"@"}}]}"#,
    r#"{"choices":[null,{"text":"@","delta":{"content":"@"}}]}"#,
    r#"{"choices":[{"delta":{"role":"assistant","content":"@"}}]}"#,
    r#"{"choices":[{"delta":{"role":"user","content":"@"}}]}"#,
    r#"{"choices":[{"delta":{"role":"@","content":"b"}}]}"#,
    r#"{"choices":[{"delta":{"reasoning":"@"}}]}"#,
    r#"{"choices":[{"delta":{"reasoning_content":"@","content":""}}]}"#,
    r#"{"choices":[{"delta":{"reasoning":"@","content":"b"}}]}"#,
    r#"{"choices":[{"delta":{"reasoning":"@","reasoning_content":"b"}}]}"#,
    r#"{"choices":[{"delta":{"reasoning":"b","content":"@"}}]}"#,
    r#"{"choices":[{"delta":{"refusal":"@","content":"@"}}]}"#,
    r#"{"choices":[{"delta":{"refusal":"b","content":"@"}}]}"#,
    r#"{"n":"@","choices":[{"text":"b","delta":{"content":"b"}}]}"#,
    r#"{"choices":[{"delta":{"content":[{"type":"text","text":"b"}],"reasoning":"@"}}]}"#,
    r#"{"choices":[{"delta":{"content":"@","tool_calls":[{"function":{"arguments":"1"}}]}}]}"#,
    r#"{"choices":[{"delta":{"content":"@","function_call":{"arguments":"1"}}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"@"}}]}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"arguments":"@"}}]}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"@"}}]}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":["@"]}}]}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"@","function":{"name":"b"}}]}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"arguments":"@"}}]}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"b","arguments":"@"}}]}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"@"}},{"index":1}]}}]}"#,
    r#"{"choices":[{"delta":{"content":"b","tool_calls":[{"index":0,"function":{"arguments":"@"}}]}}]}"#,
    r#"{"choices":[{"delta":{"content":"@","tool_calls":[{"index":0,"function":{"arguments":""}}]}}]}"#,
    r#"{"choices":[{"delta":{"role":"a","content":"","tool_calls":[{"index":0,"function":{"arguments":"@"}}]}}]}"#,
    r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"@"}}]}}]}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"},"error":"@"}]}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"},"usage":{"n":1},"error":{}}]}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"}}],"error":{},"detail":"@"}"#,
    r#"{"choices":[{"text":"@","delta":{"content":"@"}}],"x_groq":{"error":{"message":"@"}}}"#,
];

/// One value after the other in the place of a letter.
fn filled(make: &str, values: &[&str]) -> Vec<String> {
    values
        .iter()
        .map(|value| make.replace('@', value))
        .collect()
}

#[test]
fn two_kinds_of_payloads_in_turn_are_both_read_in_full() {
    for first in MAKES {
        for second in MAKES {
            let mut payloads = filled(first, &["a", "", "c"]);
            payloads.extend(filled(second, &["d", "", "\\ud83d", "\\ude00"]));
            payloads.extend(filled(first, &["h", "\\ud83d"]));
            payloads.extend(filled(second, &["i", ""]));
            payloads.extend(filled(first, &["\\ude00", "j"]));
            for format in FORMATS {
                let [compared, read] = compared_and_read(&payloads, format, true);
                assert_eq!(compared, read, "{first} and {second}");
            }
        }
    }
}

#[test]
fn a_token_of_another_kind_or_a_broken_one_is_never_taken_for_a_string() {
    const OTHERS: [&str; 19] = [
        "xa\"",
        "5a\"",
        "'a'",
        "5",
        "-1",
        "null",
        "true",
        "[]",
        "{}",
        "",
        "\"",
        "\"\\\"",
        "\"a\"b",
        "\"\\x\"",
        "\"\\u00g0\"",
        "\"a\",\"c\":1",
        "\"a\" ",
        " \"a\"",
        "\"\u{0}\"",
    ];
    let is_string = |make: &&&str| make.matches("\"@\"").count() == 1;
    for make in MAKES.iter().filter(is_string) {
        for other in OTHERS {
            let make = make.replace("\"@\"", "@");
            let payloads = filled(&make, &["\"a\"", "\"b\"", other, "\"c\""]);
            for format in FORMATS {
                let [compared, read] = compared_and_read(&payloads, format, true);
                assert_eq!(compared, read, "{make} with {other}");
            }
        }
    }
}

#[test]
fn a_number_that_says_nothing_must_be_one_all_the_same() {
    const NUMBERS: [&str; 26] = [
        "7",
        "-7",
        "7.5",
        "7e5",
        "0",
        "00",
        "07",
        "-",
        "7.",
        ".7",
        "7e",
        "7e+",
        "+7",
        "7 ",
        "0x7",
        "7\"",
        "NaN",
        "Infinity",
        "-Infinity",
        "-NaN",
        "+Infinity",
        "nan",
        "Na",
        "NaN7",
        "Infinityx",
        "- Infinity",
    ];
    for make in [
        r#"{"n":@,"choices":[{"text":"a"}]}"#,
        r#"{"choices":[{"text":"a","n":@}]}"#,
        r#"{"choices":[{"text":"a"}],"n":@}"#,
    ] {
        for number in NUMBERS {
            for values in [["1", "2", number, "3"], ["NaN", "2", number, "NaN"]] {
                let payloads = filled(make, &values);
                let [compared, read] =
                    compared_and_read(&payloads, Format::OPENAI_COMPLETIONS, true);
                assert_eq!(compared, read, "{make} with {number}");
            }
        }
    }
}

#[test]
fn invalid_utf8_becomes_replacement_characters_all_the_same() {
    let wrong: [&[u8]; 8] = [
        b"\xFF",
        b"a\x80",
        b"\xF0\x9F\x98",
        b"\xE2\x82\xACb",
        b"\xED\xA0\x80",
        b"\xC3\\n",
        b"\xEF\xBF\xBD",
        b"\xC3(",
    ];
    for make in [
        r#"{"@":1,"choices":[{"text":"a"}]}"#,
        r#"{"n":"@","choices":[{"text":"a"}]}"#,
        r#"{"choices":[{"text":"@"}]}"#,
        r#"{"choices":[{"text":"a","n":"@","index":1}]}"#,
        r#"{"choices":[{"text":"a"}],"usage":"@"}"#,
        r#"{"choices":[{"text":"a"}]}@"#,
    ] {
        for wrong in wrong {
            let (before, after) = make.split_once('@').unwrap();
            let values: [&[u8]; 6] = [b"", b"a", wrong, b"\xEF\xBF\xBD", wrong, b"b"];
            let payloads =
                values.map(|value| [before.as_bytes(), value, after.as_bytes()].concat());
            let [compared, read] = compared_and_read(&payloads, Format::OPENAI_COMPLETIONS, true);
            assert_eq!(compared, read, "{make} with {wrong:?}");
        }
    }
}

#[test]
fn a_payload_of_any_size_is_read_alike() {
    for size in [4000, 4096, 5000, 70_000] {
        let make = r#"{"n":@,"choices":[{"delta":{"content":"@"}}]}"#;
        let long = "9".repeat(size);
        let payloads = filled(make, &["1", "2", &long, "3", &long, "4"]);
        let [compared, read] = compared_and_read(&payloads, Format::OPENAI_CHAT, true);
        assert_eq!(compared, read, "{size}");
    }
}

#[test]
fn what_stands_behind_the_end_of_a_payload_is_refused() {
    for tail in ["x", "}", "]", ",", "\"", "0", "{}", "\u{a0}", " ", "\t"] {
        let payload = MAKES[0].replace('@', "a");
        let payloads = vec![payload.clone(), payload.clone(), payload + tail];
        let [compared, read] = compared_and_read(&payloads, Format::OPENAI_CHAT, true);
        assert_eq!(compared, read, "{tail}");
        assert_eq!(
            compared.0.failure.is_none(),
            tail.trim_ascii().is_empty(),
            "{tail}"
        );
    }
}

/// A frame whose payload stands in two lines, and what looks like the payload but for a field name.
#[test]
fn a_payload_of_two_lines_teaches_nothing_about_one_line() {
    let known = "data: {\ndata: \"choices\":[{\"index\":0,\"text\":\"a\"}]}\n\n";
    let other = "data: {\n\"choices\":[{\"index\":0,\"text\":\"b\"}]}\n\n";
    for end in ["\n", "\r\n", "\r"] {
        let body = (known.to_owned() + known + other).replace('\n', end);
        let [compared, read] = outcomes(body.as_bytes(), Format::OPENAI_COMPLETIONS, true, false);
        assert_eq!(compared, read);
        assert!(compared.0.failure.is_some());
    }
}

#[test]
fn a_known_payload_is_taken_with_any_line_end_and_at_every_split() {
    for end in ["\n", "\r\n", "\r"] {
        let body = [
            framed(&filled(MAKES[0], &["a", "b", "c", "", "d"]), end),
            b"data: [DONE]".to_vec(),
        ]
        .concat();
        for pieces in splits(&body) {
            let mut decoder = StreamDecoder::new(Format::OPENAI_CHAT, true, 1 << 24);
            run(&mut decoder, &pieces);
            assert_eq!(decoder.text(), "abcd");
            assert_eq!(decoder.ended(), Some(Ended::Done));
        }
    }
}

#[test]
fn a_response_is_described_again_whenever_the_description_changes() {
    const BEGINNINGS: [&str; 6] = [
        r#""id":"a","model":"m","#,
        r#""id":"b","model":"m","#,
        r#""id":"a","model":"n","#,
        r#""model":"n","system_fingerprint":"f","#,
        r#""service_tier":"t","model":"","#,
        "",
    ];
    let deltas = [r#""content":"x""#, r#""role":"assistant","content":"y""#];
    let payloads: Vec<String> = BEGINNINGS
        .iter()
        .flat_map(|beginning| {
            deltas.map(|delta| format!("{{{beginning}\"choices\":[{{\"delta\":{{{delta}}}}}]}}"))
        })
        .collect();
    for first in &payloads {
        for second in &payloads {
            for third in &payloads {
                let turns = [first, second, first, third, second, third, first];
                let [compared, read] = reports(&framed(&turns, "\n"), Format::OPENAI_CHAT);
                assert_eq!(compared, read, "{first} {second} {third}");
            }
        }
    }
}

#[test]
fn an_id_of_its_own_in_each_payload_is_reported_once() {
    let payloads = filled(
        r#"{"id":"@","choices":[{"text":"x"}]}"#,
        &["a", "b", "c", "d"],
    );
    let [compared, read] = reports(&framed(&payloads, "\n"), Format::OPENAI_COMPLETIONS);
    assert_eq!(compared, read);
    let info = compared.iter().filter(|report| report.starts_with('['));
    assert_eq!(
        info.collect::<Vec<_>>(),
        ["[Some(\"a\"), None, None, None]"]
    );
}

proptest! {
    #![proptest_config(random_cases())]

    #[test]
    fn a_payload_is_described_alike_whatever_came_before_it(
        payloads in payloads(2), format in select(&FORMATS), splits_lines: bool,
    ) {
        // A line end between two members: white space to JSON, and in a stream the end of a field.
        let lines = |payload: &String| payload.replacen(",\"", if splits_lines { ",\ndata: \"" } else { ",\"" }, 1);
        let payloads: Vec<String> = payloads.iter().map(lines).collect();
        let [compared, read] = reports(&framed(&payloads, "\n"), format);
        prop_assert_eq!(compared, read);
    }

    #[test]
    fn a_payload_is_read_alike_whatever_came_before_it(
        payloads in payloads(2), format in select(&FORMATS), joins: bool,
    ) {
        let [compared, read] = compared_and_read(&payloads, format, joins);
        prop_assert_eq!(compared, read);
    }
}
