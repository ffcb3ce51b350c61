//! The text of every stream, which client and upstream derive from the number of the stream.

/// The tokens: words, whitespace, characters that JSON and HTML escape, and scripts of one to four bytes a character.
const TOKENS: [&str; 48] = [
    " the",
    " stream",
    " of",
    " tokens",
    " is",
    " read",
    " as",
    " it",
    " comes",
    ",",
    ".",
    "\n",
    "\n\n",
    " \"quoted\"",
    " back\\slash",
    " <b>",
    "</b>",
    " & ",
    " naïve",
    " café",
    " Straße",
    " Ελληνικά",
    " привет",
    " שלום",
    " नमस्ते",
    " 日本",
    "語",
    " 中文",
    " 한국어",
    " 😀",
    " 👩‍💻",
    "\u{2028}",
    " a",
    " bit",
    " longer",
    " word",
    " 42",
    " 3.14",
    "\t",
    " {",
    "\"k\":",
    " [1]",
    "}",
    " data:",
    " event:",
    "://",
    " id",
    "!",
];

/// Returns a well mixed number.
pub fn mix(number: u64) -> u64 {
    let mut value = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Returns a number below `limit` that depends on `number` and `salt` alone.
pub fn pick(number: u64, salt: u64, limit: u64) -> u64 {
    mix(number ^ mix(salt)) % limit
}

/// Returns token number `place` of stream `id`.
pub fn token(id: u64, place: u32) -> &'static str {
    let chosen = pick(id, u64::from(place), TOKENS.len() as u64);
    usize::try_from(chosen)
        .ok()
        .and_then(|chosen| TOKENS.get(chosen))
        .copied()
        .unwrap_or_default()
}

/// Returns the text of the first `count` tokens.
pub fn text(id: u64, count: u32) -> String {
    (0..count).map(|place| token(id, place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_a_stream_vary() {
        let equal = (0..100)
            .filter(|&place| token(7, place) == token(7, place + 1))
            .count();
        assert!(equal < 10, "{equal}");
        assert_ne!(text(1, 20), text(2, 20));
        assert!(text(3, 20).starts_with(&text(3, 10)));
    }
}
