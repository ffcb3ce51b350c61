//! What a connection gave for one way of splitting what arrived.

use millstream::http::{Connection, Head, Limits};

/// How the bytes are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The head by `feed_head`, and what is behind it by `feed`.
    InTurn,
    /// Everything by `feed`.
    Fed,
}

/// Everything that can be seen of a connection from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub head: Option<Head>,
    pub body: Vec<u8>,
    /// How many bytes had been fed when the head was complete, when the response had ended and when
    /// the failure was there.
    pub head_at: Option<usize>,
    pub ended_at: Option<usize>,
    pub failed_at: Option<usize>,
    /// As of the last byte.
    pub is_reusable: bool,
    /// Behind `close`.
    pub has_ended: bool,
    pub failure: Option<String>,
}

impl Response {
    /// The same, read in `pieces`.
    pub fn expected_for(&self, pieces: &[&[u8]]) -> Self {
        let fed = |due: Option<usize>| due.and_then(|due| super::reads::fed_with(due, pieces));
        Self {
            head_at: fed(self.head_at),
            ended_at: fed(self.ended_at),
            failed_at: fed(self.failed_at),
            ..self.clone()
        }
    }
}

/// Feeds `pieces` to a connection that waits for a response, and closes it.
pub fn read(limits: Limits, is_head: bool, how: How, pieces: &[&[u8]]) -> Response {
    let mut connection = Connection::new(limits);
    connection.begin(is_head).unwrap();
    let (mut body, mut fed) = (Vec::new(), 0);
    let (mut head_at, mut ended_at, mut failed_at) = (None, None, None);
    for piece in pieces {
        fed += piece.len();
        feed(&mut connection, how, piece, &mut body);
        if connection.head().is_some() {
            head_at = head_at.or(Some(fed));
        }
        if connection.has_ended() {
            ended_at = ended_at.or(Some(fed));
        }
        if connection.failure().is_some() {
            failed_at = failed_at.or(Some(fed));
        }
    }
    let is_reusable = connection.is_reusable();
    connection.close();
    assert!(!connection.is_reusable(), "behind close");
    let failure = connection.failure().map(ToString::to_string);
    let has_ended = connection.has_ended();
    assert!(has_ended != failure.is_some(), "one of the two");
    connection.feed(b"more", |_| panic!("data behind close"));
    connection.close();
    assert_eq!(connection.failure().map(ToString::to_string), failure);
    Response {
        head: connection.head().cloned(),
        body,
        head_at,
        ended_at,
        failed_at,
        is_reusable,
        has_ended,
        failure,
    }
}

/// Hands `data` over; pieces of the body have to be slices of it, and never empty.
pub fn feed(connection: &mut Connection, how: How, data: &[u8], body: &mut Vec<u8>) {
    let rest = match how {
        How::Fed => Some(data),
        How::InTurn => connection.feed_head(data),
    };
    let Some(rest) = rest else {
        return;
    };
    let mut last = rest.as_ptr_range().start;
    connection.feed(rest, |piece| {
        let range = piece.as_ptr_range();
        assert!(last <= range.start && range.end <= rest.as_ptr_range().end);
        assert!(!piece.is_empty());
        last = range.end;
        body.extend_from_slice(piece);
    });
}
