//! The kind of body, by its first byte.

use crate::format::Framing;
use crate::framing::aws_events::AwsEvents;
use crate::framing::json_array::JsonArray;
use crate::framing::json_lines::JsonLines;
use crate::json::is_valid;
use crate::utf8;

/// The byte order mark.
pub const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The kind of body.
#[derive(Debug)]
pub enum Body {
    /// Nothing but white space yet, behind so many bytes of a BOM.
    Unknown { bom: usize },
    /// An event stream.
    Events,
    /// One JSON document, kept until the end.
    Document { text: Vec<u8>, offset: u64 },
    /// One JSON document, or lines of JSON: the end of the first line decides.
    DocumentOrLines { text: Vec<u8>, offset: u64 },
    /// HTML, kept until there is enough to show.
    Markup { text: Vec<u8>, offset: u64 },
    /// Lines of JSON.
    Lines(JsonLines),
    /// An array of JSON.
    Array(JsonArray),
    /// Binary messages.
    Messages(AwsEvents),
}

impl Body {
    /// The kind of a body of this `framing` whose first byte that is no white space is `first`, at `offset`.
    fn of(framing: Framing, first: u8, offset: u64, max_size: usize) -> Self {
        let text = Vec::new();
        match (first, framing) {
            (b'<', _) => Self::Markup { text, offset },
            (b'{', Framing::Lines) => Self::Lines(JsonLines::new(max_size, offset)),
            (b'{', Framing::Any) => Self::DocumentOrLines { text, offset },
            (b'{', _) => Self::Document { text, offset },
            (b'[', Framing::EventsOrArray | Framing::Any) => {
                Self::Array(JsonArray::new(max_size, offset))
            }
            (0, Framing::Messages | Framing::Any) => {
                Self::Messages(AwsEvents::new(max_size, offset))
            }
            _ => Self::Events,
        }
    }

    /// Looks for the first byte that is not white space, which decides what the body is; `position` is the
    /// stream's offset of `data`. Returns how many bytes stand before it.
    pub fn sniff(
        &mut self,
        data: &[u8],
        position: u64,
        framing: Framing,
        max_size: usize,
    ) -> usize {
        let Self::Unknown { bom } = self else {
            return 0;
        };
        for (at, byte) in data.iter().enumerate() {
            let position = position + at as u64;
            match byte {
                _ if *bom as u64 == position && BOM.get(*bom) == Some(byte) => *bom += 1,
                b' ' | b'\t' | b'\r' | b'\n' if matches!(bom, 0 | 3) => {}
                _ => {
                    let may_be_other = matches!(bom, 0 | 3);
                    *self = if may_be_other {
                        Self::of(framing, *byte, position, max_size)
                    } else {
                        Self::Events
                    };
                    return at;
                }
            }
        }
        data.len()
    }

    /// Decides between a document and lines, once the first line has arrived. Returns what is to be read as such.
    pub fn decide(&mut self, max_size: usize) -> Option<Vec<u8>> {
        let Self::DocumentOrLines { text, offset } = self else {
            return None;
        };
        if text.last() != Some(&b'\n') {
            return None;
        }
        let (first, offset) = (std::mem::take(text), *offset);
        *self = if is_valid(&utf8::decode(&first)) {
            Self::Lines(JsonLines::new(max_size, offset))
        } else {
            let text = Vec::new();
            Self::Document { text, offset }
        };
        Some(first)
    }
}
