//! `SseParser`: splits never matter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream::error::Error;
use millstream::sse::{Event, SseParser};
use millstream_fuzz::Input;

/// An event's type, data, ID and `retry`.
type Fields = (Vec<u8>, Vec<u8>, String, Option<u64>);

fn fields(event: &Event<'_>) -> Fields {
    let (kind, data) = (event.event.to_vec(), event.data.to_vec());
    (kind, data, event.id.to_owned(), event.retry)
}

/// Everything that can be seen of a parser.
#[derive(Debug, PartialEq)]
struct End {
    fed: Vec<Fields>,
    closed: Vec<Fields>,
    failure: Option<Error>,
    last_event_id: String,
    retry: Option<u64>,
    is_truncated: bool,
    events_seen: u64,
}

fn read(input: &Input<'_>, pieces: &[&[u8]]) -> End {
    let mut parser = SseParser::new(input.limit(), input.is_set(0));
    let (mut fed, mut closed) = (Vec::new(), Vec::new());
    for piece in pieces {
        parser.feed(piece, &mut |event: Event<'_>| fed.push(fields(&event)));
    }
    parser.close(&mut |event: Event<'_>| closed.push(fields(&event)));
    assert_eq!(parser.events_seen(), (fed.len() + closed.len()) as u64);
    assert!(closed.len() <= usize::from(input.is_set(0)));
    End {
        fed,
        closed,
        failure: parser.failure().cloned(),
        last_event_id: parser.last_event_id().to_owned(),
        retry: parser.retry(),
        is_truncated: parser.is_truncated(),
        events_seen: parser.events_seen(),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else {
        return;
    };
    let whole = read(&input, &[input.body]);
    assert_eq!(read(&input, &input.bytes()), whole, "byte by byte");
    assert_eq!(read(&input, &input.pieces()), whole, "in pieces");
});
