//! What a reader gave for one way of splitting its input.

use millstream::decode::StreamDecoder;
use millstream::error::Error;
use millstream::sse::{Event, SseParser};
use millstream::utf8;
use serde_json::{Value, json};

use super::deltas::Collect;
use super::reads::{each_byte, fed_with};
use super::vectors::encoded;

/// Whatever has `feed` and `close`; items come out as the vectors write them.
pub trait Reader {
    fn feed(&mut self, data: &[u8], items: &mut Vec<Value>);
    fn close(&mut self, items: &mut Vec<Value>);
    fn failure(&self) -> Option<&Error>;
    fn text(&self) -> &str;
    fn items_seen(&self) -> u64;
    /// Nothing more can come out.
    fn is_done(&self) -> bool;
}

/// Everything that can be seen of a reader from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub items: Vec<Value>,
    /// For each item how many bytes had been fed when it came out; `None` for those of `close`.
    pub at: Vec<Option<usize>>,
    pub failure: Option<Value>,
    /// How many bytes had been fed when the reader was done; `None` if `close` had to say so.
    pub done_at: Option<usize>,
}

impl Outcome {
    /// The outcome of reading byte by byte, as another split must show it: the same items and the
    /// same failure, each with the read that holds its byte.
    pub fn expected_for(&self, pieces: &[&[u8]]) -> Self {
        let fed = |due: &Option<usize>| due.and_then(|due| fed_with(due, pieces));
        Self {
            at: self.at.iter().map(fed).collect(),
            done_at: fed(&self.done_at),
            ..self.clone()
        }
    }
}

/// Feeds `pieces` and closes. A reader that failed must stay as it is, whatever is fed to it.
pub fn run(reader: &mut impl Reader, pieces: &[&[u8]]) -> Outcome {
    let (mut items, mut at, mut fed, mut done_at) = (Vec::new(), Vec::new(), 0, None);
    for piece in pieces {
        fed += piece.len();
        reader.feed(piece, &mut items);
        at.resize(items.len(), Some(fed));
        if reader.is_done() {
            done_at = done_at.or(Some(fed));
        }
    }
    let is_failed = reader.failure().is_some();
    reader.close(&mut items);
    assert!(
        !is_failed || items.len() == at.len(),
        "close after a failure"
    );
    at.resize(items.len(), None);
    assert_eq!(reader.items_seen(), items.len() as u64);
    let failure = reader
        .failure()
        .map(|error| described(error, reader.text(), reader.items_seen()));
    Outcome {
        items,
        at,
        failure,
        done_at,
    }
}

/// Reads `data` byte by byte, the way that shows everything as early as it can be known.
pub fn run_each_byte(reader: &mut impl Reader, data: &[u8]) -> Outcome {
    run(reader, &each_byte(data))
}

/// An error as the vectors write it, but for when it is met.
pub fn described(error: &Error, text: &str, deltas_seen: u64) -> Value {
    let kind = match error {
        Error::EventTooLarge { .. } => "EventTooLargeError",
        _ => "StreamDecodeError",
    };
    json!({
        "type": kind,
        "message": error.to_string(),
        "offset": error.offset(),
        "frame_b64": error.frame().map(encoded),
        "text": text,
        "deltas_seen": deltas_seen,
    })
}

/// The failure that a case wants, and after how many bytes.
pub fn expected_failure(case: &Value) -> (Option<Value>, Option<usize>) {
    let Some(listed) = case["failure"].as_object() else {
        return (None, None);
    };
    let mut listed = listed.clone();
    let at = listed.remove("at").and_then(|at| at.as_u64());
    listed.remove("text_complete");
    (
        Some(listed.into()),
        at.and_then(|at| usize::try_from(at).ok()),
    )
}

/// An event as the vectors write it.
pub fn event_value(event: &Event<'_>) -> Value {
    let kind = match event.event {
        b"" => "message".into(),
        kind => utf8::decode(kind),
    };
    json!({"event": kind, "data": utf8::decode(event.data), "id": event.id, "retry": event.retry})
}

impl Reader for SseParser {
    fn feed(&mut self, data: &[u8], items: &mut Vec<Value>) {
        SseParser::feed(self, data, &mut |event: Event<'_>| {
            items.push(event_value(&event));
        });
    }

    fn close(&mut self, items: &mut Vec<Value>) {
        SseParser::close(self, &mut |event: Event<'_>| {
            items.push(event_value(&event));
        });
    }

    fn failure(&self) -> Option<&Error> {
        SseParser::failure(self)
    }

    #[allow(clippy::unnecessary_literal_bound, reason = "the trait's signature")]
    fn text(&self) -> &str {
        ""
    }

    fn items_seen(&self) -> u64 {
        self.events_seen()
    }

    fn is_done(&self) -> bool {
        SseParser::failure(self).is_some()
    }
}

impl Reader for StreamDecoder {
    fn feed(&mut self, data: &[u8], items: &mut Vec<Value>) {
        StreamDecoder::feed(self, data, &mut Collect(items));
    }

    fn close(&mut self, items: &mut Vec<Value>) {
        StreamDecoder::close(self, &mut Collect(items));
    }

    fn failure(&self) -> Option<&Error> {
        StreamDecoder::failure(self)
    }

    fn text(&self) -> &str {
        StreamDecoder::text(self)
    }

    fn items_seen(&self) -> u64 {
        self.deltas_seen()
    }

    fn is_done(&self) -> bool {
        StreamDecoder::is_done(self)
    }
}
