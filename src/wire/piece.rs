//! The record of a piece of the open part: nearly every delta becomes one.

use crate::json::write_inside;

/// The record of a piece of the open part: the bytes around the piece.
#[derive(Debug, Default)]
pub struct PieceRecord {
    /// The part is choice 0's text, and nothing has to be written before its next piece.
    pub is_text: bool,
    /// The bytes before the piece, its opening quote included.
    pub prefix: Vec<u8>,
    /// The bytes behind it, its closing quote included.
    pub suffix: &'static [u8],
    /// The piece is written as it is, not as a JSON string.
    pub is_raw: bool,
    /// The records are numbered, and the part is kept.
    pub numbered: Option<Numbered>,
}

/// The state of a wire of numbered records.
#[derive(Debug, Default)]
pub struct Numbered {
    /// How many records came before the next one.
    pub next: u64,
    /// The number in the prefix, and where its digits end.
    pub in_prefix: u64,
    pub digits_end: usize,
    /// The text of the open part.
    pub text: String,
}

impl PieceRecord {
    /// Appends the record of `piece`.
    #[inline]
    pub fn write(&mut self, out: &mut Vec<u8>, piece: &str) {
        if self.is_raw {
            return out.extend_from_slice(piece.as_bytes());
        }
        out.extend_from_slice(&self.prefix);
        write_inside(out, piece);
        out.extend_from_slice(self.suffix);
        if let Some(numbered) = &mut self.numbered {
            numbered.text.push_str(piece);
            numbered.count_up(&mut self.prefix);
        }
    }
}

impl Numbered {
    /// Makes the number in `prefix` that of the next record: mostly that changes its last digit alone.
    #[inline]
    fn count_up(&mut self, prefix: &mut Vec<u8>) {
        self.next += 1;
        self.in_prefix += 1;
        let mut at = self.digits_end;
        while at > 0 {
            at -= 1;
            match prefix.get_mut(at) {
                Some(digit @ b'0'..=b'8') => {
                    *digit += 1;
                    return;
                }
                Some(digit @ b'9') => *digit = b'0',
                _ => break,
            }
        }
        prefix.insert(at + 1, b'1');
        self.digits_end += 1;
    }
}
