//! `http`: splits never matter, pieces of a body are slices of what was read, and no request has
//! more lines than it was given headers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream::http::{Connection, Error, Head, Limits, request};
use millstream_fuzz::Input;

/// Everything that can be seen of a connection.
#[derive(Debug, PartialEq)]
struct End {
    head: Option<Head>,
    body: Vec<u8>,
    is_reusable: bool,
    has_ended: bool,
    failure: Option<Error>,
}

fn limits(input: &Input<'_>) -> Limits {
    let size = input.limit();
    Limits {
        head_size: size.saturating_mul(4),
        header_count: size / 4,
        trailer_size: size,
    }
}

fn read(input: &Input<'_>, pieces: &[&[u8]]) -> End {
    let mut connection = Connection::new(limits(input));
    connection
        .begin(input.is_set(0))
        .expect("the connection is new");
    let mut body = Vec::new();
    for piece in pieces {
        let rest = if input.is_set(1) {
            Some(*piece)
        } else {
            connection.feed_head(piece)
        };
        let Some(rest) = rest else {
            continue;
        };
        let mut size = 0;
        connection.feed(rest, |slice| {
            assert!(!slice.is_empty());
            size += slice.len();
            body.extend_from_slice(slice);
        });
        assert!(size <= rest.len());
    }
    let is_reusable = connection.is_reusable();
    assert!(!is_reusable || connection.has_ended());
    connection.close();
    assert!(connection.has_ended() != connection.failure().is_some());
    End {
        head: connection.head().cloned(),
        body,
        is_reusable,
        has_ended: connection.has_ended(),
        failure: connection.failure().cloned(),
    }
}

/// Whatever is accepted is one request line and one line for each header.
fn write(body: &str) {
    let mut parts = body.splitn(4, '|');
    let [method, target, name, value] = [(); 4].map(|()| parts.next().unwrap_or("x"));
    let headers = [("host", "h"), (name, value)];
    let Ok(made) = request::head(method, target, headers, Some(5)) else {
        return;
    };
    let given = name.eq_ignore_ascii_case("content-length");
    let lines: Vec<&[u8]> = made
        .head
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .collect();
    // Each CRLF is an empty line between two others here, and the head ends in two of them.
    assert_eq!(lines.len(), 2 * (4 + usize::from(!given)) + 1);
    let line = format!("{name}: {value}");
    assert_eq!(lines[4], line.as_bytes());
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else {
        return;
    };
    if input.is_set(3) {
        return write(&String::from_utf8_lossy(input.body));
    }
    let whole = read(&input, &[input.body]);
    assert_eq!(read(&input, &input.bytes()), whole, "byte by byte");
    assert_eq!(read(&input, &input.pieces()), whole, "in pieces");
});
