//! JSON documents: what `serde_json` says of one, and strategies that make them, right and nearly
//! right.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

/// As many random cases as usual, or as `PROPTEST_CASES` says; a failure prints what it needs to be
/// made a test, and writes no file.
pub fn random_cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Whether `text` is JSON of at most 128 levels, by `serde_json`, which gets no lone
/// surrogates and no numbers beyond its range: for RFC 8259 both are a matter of grammar alone. The three words
/// that count as numbers are `null` to it.
pub fn is_json(text: &str) -> bool {
    let text = without_words(&with_short_numbers(&without_lone_surrogates(text)));
    let mut reader = serde_json::Deserializer::from_str(&text);
    reader.disable_recursion_limit();
    let mut values = reader.into_iter::<Value>();
    let first = values.next();
    matches!((first, values.next()), (Some(Ok(value)), None) if depth(&value) <= 128)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// `text` with `null` for `NaN`, `Infinity` and `-Infinity` outside strings.
fn without_words(text: &str) -> String {
    let (mut out, mut rest, mut in_string) = (String::with_capacity(text.len()), text, false);
    while let Some(character) = rest.chars().next() {
        let words = ["NaN", "Infinity", "-Infinity"];
        let word = words
            .iter()
            .find(|word| !in_string && rest.starts_with(**word));
        let length = match (word, character) {
            (Some(word), _) => word.len(),
            (None, '\\') => rest.chars().take(2).map(char::len_utf8).sum(),
            _ => character.len_utf8(),
        };
        in_string ^= character == '"';
        out.push_str(word.map_or(&rest[..length], |_| "null"));
        rest = &rest[length..];
    }
    out
}

/// `text` with `\ufffd` for every escape of half a surrogate pair.
pub fn without_lone_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        let kept = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => &escape[..12],
            (Some(0xD800..=0xDFFF), _) => "\\ufffd",
            // The backslash and what it escapes, which may be a backslash.
            _ => &escape[..escape.chars().take(2).map(char::len_utf8).sum()],
        };
        out.push_str(kept);
        rest = &escape[kept.len()..];
    }
    out + rest
}

/// The code unit of the escape that `text` starts with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

/// `text` with the digits of long numbers and exponents left out that only make them large.
fn with_short_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut room, mut escaped) = (20, 0);
    for character in text.chars() {
        if escaped > 0 || !character.is_ascii_digit() {
            out.push(character);
            room = match character {
                'e' | 'E' => 1,
                '+' | '-' if room == 1 => 1,
                _ => 20,
            };
            // The digits of an escape are not a number.
            escaped = if character == '\\' {
                5
            } else {
                escaped.max(1) - 1
            };
        } else if room > 0 {
            out.push(character);
            room -= 1;
        }
    }
    out
}

/// Strings as they stand in a document: quotes, escapes, halves of surrogate pairs.
pub fn string() -> impl Strategy<Value = String> + Clone {
    const PIECES: &[&str] = &[
        "a",
        "token",
        " ",
        "\u{e9}",
        "\u{20ac}",
        "\u{1f600}",
        "\u{2028}",
        "\u{7f}",
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b",
        "\\u00e9",
        "\\uD83D\\uDE00",
        "\\ud83d",
        "\\udE00",
        "\\u0000",
        "12345678",
    ];
    vec(select(PIECES), 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number() -> impl Strategy<Value = String> + Clone {
    "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,4})?"
}

fn space() -> impl Strategy<Value = String> + Clone {
    prop_oneof![4 => Just(String::new()), 1 => "[ \\t\\r\\n]{1,9}"]
}

/// Valid documents, white space and all.
pub fn document() -> impl Strategy<Value = String> {
    let words = select(vec!["null", "true", "false", "[]", "{}", "[ ]", "{\t}"]);
    let leaf = prop_oneof![words.prop_map(str::to_owned), number(), string()];
    let nested = leaf.prop_recursive(5, 40, 5, |inner| {
        let element = (space(), inner, space()).prop_map(|(a, value, b)| a + &value + &b);
        let member = (space(), string(), space(), element.clone());
        let member = member.prop_map(|(a, name, b, value)| a + &name + &b + ":" + &value);
        prop_oneof![
            vec(element, 1..5).prop_map(|items| format!("[{}]", items.join(","))),
            vec(member, 1..5).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    (space(), nested, space()).prop_map(|(a, value, b)| a + &value + &b)
}

/// A small change to a text, at a place that fits any length.
#[derive(Clone, Debug)]
pub enum Edit {
    Delete(Index),
    Insert(Index, &'static str),
    Replace(Index, &'static str),
    Repeat(Index),
    Truncate(Index),
}

/// Edits with what matters to JSON, but for line ends.
pub fn edit() -> impl Strategy<Value = Edit> {
    let bits = [
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "0",
        "1",
        "9",
        "-",
        "+",
        ".",
        "e",
        "E",
        "u",
        "t",
        "n",
        "/",
        " ",
        "\t",
        "\u{0}",
        "\u{1f}",
        "\u{b}",
        "\u{a0}",
        "\u{feff}",
        "\u{e9}",
        "\\u",
        "\\ud800",
        "\\udc00",
        "\\uD83D\\uDE00",
        "null",
        "true",
        "\"a\":1,",
        "NaN",
        "Infinity",
        "//",
        "'",
    ];
    let bit = || select(bits.to_vec());
    prop_oneof![
        any::<Index>().prop_map(Edit::Delete),
        (any::<Index>(), bit()).prop_map(|(at, bit)| Edit::Insert(at, bit)),
        (any::<Index>(), bit()).prop_map(|(at, bit)| Edit::Replace(at, bit)),
        any::<Index>().prop_map(Edit::Repeat),
        any::<Index>().prop_map(Edit::Truncate),
    ]
}

/// `text` with `edits` made one after the other.
pub fn edited(text: &str, edits: &[Edit]) -> String {
    edits.iter().fold(text.to_owned(), |text, edit| {
        let characters: Vec<char> = text.chars().collect();
        let (Edit::Delete(at)
        | Edit::Insert(at, _)
        | Edit::Replace(at, _)
        | Edit::Repeat(at)
        | Edit::Truncate(at)) = edit;
        let at = at.index(characters.len() + 1);
        let before: String = characters[..at].iter().collect();
        let one: String = characters[at..].iter().take(1).collect();
        let after: String = characters[at..].iter().skip(1).collect();
        match edit {
            Edit::Delete(_) => before + &after,
            Edit::Insert(_, bit) => before + bit + &one + &after,
            Edit::Replace(_, bit) => before + bit + &after,
            Edit::Repeat(_) => before + &one + &one + &after,
            Edit::Truncate(_) => before,
        }
    })
}
