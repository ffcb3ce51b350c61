//! JSON text → JSON text without the white space around its tokens.

use super::scan::string_end;

/// Appends `text`, one valid JSON document, without the white space outside of its strings.
///
/// Numbers and strings stay as they are written, with two exceptions: `NaN`, `Infinity` and `-Infinity`, which
/// JSON does not have, become `null`; and what [`write_string`](super::write_string) never writes raw or alone
/// (U+2028, U+2029, U+0085, the escape of a lone surrogate half) becomes an escape, that of U+FFFD for a half.
///
/// ```
/// let mut out = Vec::new();
/// millstream::json::write_compact(&mut out, "{\"a b\": [1.50, NaN],\n \"c\": \"\u{2028}\"}");
/// assert_eq!(out, br#"{"a b":[1.50,null],"c":"\u2028"}"#);
/// out.clear();
/// millstream::json::write_compact(&mut out, r#"["\ud83d\ude00", "\ud83d", "\\ud83d"]"#);
/// assert_eq!(out, br#"["\ud83d\ude00","\ufffd","\\ud83d"]"#);
/// ```
pub fn write_compact(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'"' => string_end(bytes, at + 1).map_or(bytes.len(), |end| end.at + 1),
            b' ' | b'\t' | b'\r' | b'\n' => at + 1,
            b'N' | b'I' => {
                let has_sign = out.last() == Some(&b'-');
                out.truncate(out.len() - usize::from(has_sign));
                out.extend_from_slice(b"null");
                at + if *byte == b'N' { 3 } else { 8 }
            }
            _ => token_end(bytes, at + 1),
        };
        match byte {
            b'"' => copy_string(out, bytes.get(at..end).unwrap_or_default()),
            b' ' | b'\t' | b'\r' | b'\n' | b'N' | b'I' => {}
            _ => out.extend_from_slice(bytes.get(at..end).unwrap_or_default()),
        }
        at = end;
    }
}

/// Where the bytes end that are copied as they are, from `at` on.
fn token_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let stops = |byte: &u8| matches!(byte, b'"' | b' ' | b'\t' | b'\r' | b'\n' | b'N' | b'I');
    at + rest.iter().position(stops).unwrap_or(rest.len())
}

/// Copies a string with its quotes; escapes the characters at which too many readers of lines split, and makes
/// the escape of a lone half of a surrogate pair that of U+FFFD.
fn copy_string(out: &mut Vec<u8>, string: &[u8]) {
    let mut rest = string;
    while let Some(at) = memchr::memchr3(b'\\', 0xC2, 0xE2, rest) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (written, length): (&[u8], usize) = match special {
            [0xC2, 0x85, ..] => (b"\\u0085", 2),
            [0xE2, 0x80, 0xA8, ..] => (b"\\u2028", 3),
            [0xE2, 0x80, 0xA9, ..] => (b"\\u2029", 3),
            [b'\\', b'u', after @ ..] => match half(after) {
                Some(Half::High) if after.get(4..6) == Some(b"\\u") && is_low(after.get(6..)) => {
                    (special.get(..12).unwrap_or(special), 12)
                }
                Some(_) => (b"\\ufffd", 6),
                None => (special.get(..6).unwrap_or(special), 6),
            },
            [b'\\', ..] => (special.get(..2).unwrap_or(special), 2),
            _ => (special.get(..1).unwrap_or(special), 1),
        };
        out.extend_from_slice(written);
        rest = special.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// The halves of a surrogate pair.
#[derive(PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// The half that the four digits of an escape stand for.
fn half(digits: &[u8]) -> Option<Half> {
    match digits {
        [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..] => Some(Half::High),
        [b'd' | b'D', b'c'..=b'f' | b'C'..=b'F', ..] => Some(Half::Low),
        _ => None,
    }
}

fn is_low(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| half(digits) == Some(Half::Low))
}
