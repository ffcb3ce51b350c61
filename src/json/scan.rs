//! Tokens on bytes: where a string ends, where a number does.

/// Where a string (quotes included) or a number stands in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// A string, not a number.
    pub is_string: bool,
}

/// Where the inside of a string ends, and what it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct StringEnd {
    /// The closing quote.
    pub at: usize,
    /// It has escapes.
    pub is_escaped: bool,
    /// It is ASCII for certain.
    pub is_ascii: bool,
}

/// The end of the string whose inside starts at `at`; `None` if it is not a valid JSON string. Does not
/// check that its bytes are UTF-8.
#[inline]
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<StringEnd> {
    let mut end = StringEnd {
        at,
        is_escaped: false,
        is_ascii: true,
    };
    loop {
        let (length, is_ascii) = plain_length(bytes.get(end.at..)?);
        end.at += length;
        end.is_ascii &= is_ascii;
        match bytes.get(end.at)? {
            b'"' => return Some(end),
            b'\\' => {
                end.is_escaped = true;
                end.at += escape_length(bytes.get(end.at + 1..)?)?;
            }
            _ => return None,
        }
    }
}

/// The end of the number that starts at `at`: `[ minus ] int [ frac ] [ exp ]`, or one of the three
/// words that servers write for numbers JSON does not have: `NaN`, `Infinity`, `-Infinity`.
pub(super) fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let mut end = at + usize::from(byte(at) == b'-');
    if !byte(end).is_ascii_digit() {
        return word_end(bytes, at);
    }
    end = if byte(end) == b'0' {
        end + 1
    } else {
        digits_end(bytes, end)?
    };
    if byte(end) == b'.' {
        end = digits_end(bytes, end + 1)?;
    }
    if matches!(byte(end), b'e' | b'E') {
        end += 1 + usize::from(matches!(byte(end + 1), b'+' | b'-'));
        end = digits_end(bytes, end)?;
    }
    Some(end)
}

#[cold]
fn word_end(bytes: &[u8], at: usize) -> Option<usize> {
    let words: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    let rest = bytes.get(at..)?;
    let word = words.iter().find(|word| rest.starts_with(word))?;
    Some(at + word.len())
}

fn digits_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = bytes
        .get(at..)?
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (digits > 0).then_some(at + digits)
}

/// The length of an escape, its backslash included, that goes on with `rest`.
fn escape_length(rest: &[u8]) -> Option<usize> {
    match rest.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' if rest.get(1..5)?.iter().all(u8::is_ascii_hexdigit) => Some(6),
        _ => None,
    }
}

/// How many bytes stand before the first quote, backslash or control character, and whether they are ASCII for
/// certain.
///
/// Eight bytes a step: most strings of a payload are over in one or two. The classic test for
/// "has a byte below n" may mark a byte above a real find, never one below it, so the lowest mark
/// is exact.
pub(super) fn plain_length(bytes: &[u8]) -> (usize, bool) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut seen = 0;
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        let found = (word.wrapping_sub(ONES * 0x20) & !word)
            | (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash);
        let found = found & HIGHS;
        if found != 0 {
            let before = (found & found.wrapping_neg()) - 1;
            let is_ascii = (seen | (word & before)) & HIGHS == 0;
            return (i * 8 + found.trailing_zeros() as usize / 8, is_ascii);
        }
        seen |= word;
    }
    let is_plain = |byte: &&u8| !matches!(**byte, b'"' | b'\\' | 0..=0x1F);
    let length = words.len() * 8 + rest.iter().take_while(is_plain).count();
    (length, false)
}
