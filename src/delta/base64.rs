//! Base64 (RFC 4648), as providers wrap payloads in it.

/// The value of each character; more than 63 for those that stand for nothing.
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [0xFF; 256];
    let (mut at, mut value) = (0, 0);
    while at < alphabet.len() {
        values[alphabet[at] as usize] = value;
        (at, value) = (at + 1, value + 1);
    }
    values
}

/// The bytes that `text` stands for; `None` if it is not base64, with its padding.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (quads, rest) = text[..text.len() - padding].as_chunks::<4>();
    for quad in quads {
        let [one, two, three, four] = quad.map(|byte| VALUES[usize::from(byte)]);
        if (one | two | three | four) > 63 {
            return None;
        }
        out.extend([
            one << 2 | two >> 4,
            two << 4 | three >> 2,
            three << 6 | four,
        ]);
    }
    let value = |at: usize| rest.get(at).map_or(0, |byte| VALUES[usize::from(*byte)]);
    let (one, two, three) = (value(0), value(1), value(2));
    if (one | two | three) > 63 {
        return None;
    }
    let last = [one << 2 | two >> 4, two << 4 | three >> 2];
    out.extend(last.iter().take(rest.len().saturating_sub(1)));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_are_decoded() {
        let examples = [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ];
        for (text, bytes) in examples {
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        for text in [
            "Z", "Zg", "Zg=", "Zm9v=", "Zm9v====", "Zm-v", "Zm 9", "=", "====",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
