//! Payloads like known ones: comparing with what came before says what reading anew would.

#![allow(clippy::unwrap_used, reason = "what a make lacks fails its test")]

mod support;

use millstream::decode::{Format, StreamDecoder};
use proptest::prelude::*;
use proptest::sample::select;
use support::documents::random_cases;
use support::outcome::{Outcome, run};
use support::payloads::payloads;

const FORMATS: [Format; 2] = [Format::OpenAiChat, Format::OpenAiCompletions];

/// What the payloads say one after the other: as compared with known ones, and each read whole.
fn compared_and_read(
    payloads: &[impl AsRef<[u8]>],
    format: Format,
    joins: bool,
) -> [(Outcome, String); 2] {
    let frames = payloads
        .iter()
        .map(|payload| [b"data: ", payload.as_ref(), b"\n\n"].concat());
    let body = frames.collect::<Vec<_>>().concat();
    let decoder = || StreamDecoder::new(format, joins, 1 << 24);
    [decoder(), decoder().reading_whole()].map(|mut decoder| {
        let outcome = run(&mut decoder, &[&body]);
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
const MAKES: [&str; 25] = [
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
];

/// One value after the other in the place of a letter.
fn filled(make: &str, values: &[&str]) -> Vec<String> {
    values
        .iter()
        .map(|value| make.replace('@', value))
        .collect()
}

#[test]
fn two_makes_in_turn_bring_all_they_say() {
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
    const NUMBERS: [&str; 16] = [
        "7", "-7", "7.5", "7e5", "0", "00", "07", "-", "7.", ".7", "7e", "7e+", "+7", "7 ", "0x7",
        "7\"",
    ];
    for make in [
        r#"{"n":@,"choices":[{"text":"a"}]}"#,
        r#"{"choices":[{"text":"a","n":@}]}"#,
        r#"{"choices":[{"text":"a"}],"n":@}"#,
    ] {
        for number in NUMBERS {
            let payloads = filled(make, &["1", "2", number, "3"]);
            let [compared, read] = compared_and_read(&payloads, Format::OpenAiCompletions, true);
            assert_eq!(compared, read, "{make} with {number}");
        }
    }
}

#[test]
fn bytes_that_are_no_utf8_become_replacements_all_the_same() {
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
            let [compared, read] = compared_and_read(&payloads, Format::OpenAiCompletions, true);
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
        let [compared, read] = compared_and_read(&payloads, Format::OpenAiChat, true);
        assert_eq!(compared, read, "{size}");
    }
}

#[test]
fn what_stands_behind_the_end_of_a_payload_is_refused() {
    for tail in ["x", "}", "]", ",", "\"", "0", "{}", "\u{a0}", " ", "\t"] {
        let payload = MAKES[0].replace('@', "a");
        let payloads = vec![payload.clone(), payload.clone(), payload + tail];
        let [compared, read] = compared_and_read(&payloads, Format::OpenAiChat, true);
        assert_eq!(compared, read, "{tail}");
        assert_eq!(
            compared.0.failure.is_none(),
            tail.trim_ascii().is_empty(),
            "{tail}"
        );
    }
}

proptest! {
    #![proptest_config(random_cases())]

    #[test]
    fn a_payload_is_read_alike_whatever_came_before_it(
        payloads in payloads(2), format in select(&FORMATS), joins: bool,
    ) {
        let [compared, read] = compared_and_read(&payloads, format, joins);
        prop_assert_eq!(compared, read);
    }
}
