//! Deltas → event records: text between the constant parts of a run.

use crate::delta::{Delta, Sink};
use crate::json::write_string;

/// Writes a record for every piece of choice 0's text: `prefix`, the piece as a JSON string, `suffix`.
///
/// ```
/// use millstream::decode::{Format, StreamDecoder};
/// use millstream::record::Records;
///
/// let mut decoder = StreamDecoder::new(Format::OPENAI_COMPLETIONS, true, 1 << 24);
/// let mut records = Records::new(b"data: {\"chunk\":", b"}\n\n");
/// decoder.feed(b"data: {\"choices\":[{\"text\":\"Hi\"}]}\n\n", &mut records);
/// assert_eq!(records.bytes(), b"data: {\"chunk\":\"Hi\"}\n\n");
/// ```
#[derive(Debug)]
pub struct Records<'a> {
    prefix: &'a [u8],
    suffix: &'a [u8],
    out: Vec<u8>,
}

impl<'a> Records<'a> {
    /// No records yet, of a run with these constant parts.
    pub fn new(prefix: &'a [u8], suffix: &'a [u8]) -> Self {
        Self::with_buffer(Vec::new(), prefix, suffix)
    }

    /// [`new`](Self::new), writing into the room of `out`, whose content is dropped.
    pub fn with_buffer(mut out: Vec<u8>, prefix: &'a [u8], suffix: &'a [u8]) -> Self {
        out.clear();
        Self {
            prefix,
            suffix,
            out,
        }
    }

    /// Takes the buffer, for [`with_buffer`](Self::with_buffer), and the records with it.
    pub fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// The records, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }
}

impl Sink for Records<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        if let Some(text) = delta.first_text() {
            self.text(0, text);
        }
    }

    fn text(&mut self, index: u32, text: &str) {
        if index == 0 {
            // One reservation for all records of a read would be a guess; the vector doubles.
            self.out.extend_from_slice(self.prefix);
            write_string(&mut self.out, text);
            self.out.extend_from_slice(self.suffix);
        }
    }
}
