//! Strings → JSON, in the one form that both halves of the package write.

/// Appends `text` as a JSON string, quotes included.
///
/// Escaped is what must be (short escapes where JSON has them, else four lower-case digits), and
/// besides U+2028, U+2029 and U+0085, at which too many readers of lines split.
///
/// ```
/// let mut out = Vec::new();
/// millstream::json::write_string(&mut out, "a\n\u{2028}é");
/// assert_eq!(out, r#""a\n\u2028é""#.as_bytes());
/// ```
#[inline]
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_inside(out, text);
    out.push(b'"');
}

/// Appends the inside of [`write_string`]'s string, without the quotes.
#[inline]
pub fn write_inside(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let (length, code) = match byte {
            b'"' | b'\\' | 0..=0x1F => (1, u32::from(*byte)),
            0xC2 if bytes.get(at + 1) == Some(&0x85) => (2, 0x85),
            0xE2 if bytes.get(at + 1..at + 3) == Some(b"\x80\xA8") => (3, 0x2028),
            0xE2 if bytes.get(at + 1..at + 3) == Some(b"\x80\xA9") => (3, 0x2029),
            _ => continue,
        };
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + length;
        escape(out, code);
    }
    out.extend_from_slice(&bytes[copied..]);
}

fn escape(out: &mut Vec<u8>, code: u32) {
    out.push(b'\\');
    match code {
        0x22 => out.push(b'"'),
        0x5C => out.push(b'\\'),
        0x08 => out.push(b'b'),
        0x09 => out.push(b't'),
        0x0A => out.push(b'n'),
        0x0C => out.push(b'f'),
        0x0D => out.push(b'r'),
        _ => {
            out.push(b'u');
            for shift in [12, 8, 4, 0] {
                out.push(b"0123456789abcdef"[(code >> shift & 15) as usize]);
            }
        }
    }
}
