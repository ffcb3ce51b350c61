//! The client side of one HTTP/1.1 connection, one exchange after the other.

use std::fmt;

use super::body::{BodyReader, Framing};
use super::error::Error;
use super::head::{Head, HeadReader};
use super::limits::Limits;

/// A request was to be sent on a connection that cannot take one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection cannot take a request: its last exchange is not over, or was to be its last")
    }
}

impl std::error::Error for Busy {}

/// Where the exchange stands.
#[derive(Debug)]
enum Stage {
    /// No request was sent yet.
    New,
    /// A request was sent, and its response's head is not complete.
    Head(HeadReader),
    /// The head is complete and the body is not.
    Body(BodyReader),
    /// The body has ended.
    Ended,
}

/// The client side of one HTTP/1.1 connection.
///
/// [`begin`](Self::begin) takes note of a request that is sent, [`feed`](Self::feed) reads the bytes that
/// arrive. Nothing panics and nothing grows past the limits, whatever the server
/// sends: once [`failure`](Self::failure) is there, the connection is to be closed.
///
/// ```
/// use millstream::http::{Connection, Limits};
///
/// let mut connection = Connection::new(Limits::default());
/// connection.begin(false)?;
/// let data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n";
/// let rest = connection.feed_head(data).unwrap_or_default();
/// let mut body = Vec::new();
/// connection.feed(rest, |piece| body.extend_from_slice(piece));
/// assert_eq!(connection.head().map(|head| head.status), Some(200));
/// assert_eq!(body, b"Hello");
/// assert!(connection.has_ended() && connection.is_reusable());
/// # Ok::<(), millstream::http::connection::Busy>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
    stage: Stage,
    head: Option<Head>,
    failure: Option<Error>,
    /// The method of the request was HEAD.
    is_head: bool,
    /// Nothing was seen yet that makes this exchange the last one.
    goes_on: bool,
    is_closed: bool,
}

impl Connection {
    /// A connection that is just made.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            stage: Stage::New,
            head: None,
            failure: None,
            is_head: false,
            goes_on: true,
            is_closed: false,
        }
    }

    /// Says that a request was sent, whose response is the next to come; `no_body` where it will
    /// have no body whatever its head says (HEAD).
    ///
    /// # Errors
    ///
    /// The connection is neither new nor reusable; nothing has changed then.
    pub fn begin(&mut self, no_body: bool) -> Result<(), Busy> {
        let is_new = matches!(self.stage, Stage::New) && self.is_sound();
        if !is_new && !self.is_reusable() {
            return Err(Busy);
        }
        self.stage = Stage::Head(HeadReader::new());
        self.head = None;
        self.is_head = no_body;
        Ok(())
    }

    /// Says that no request will follow the one that has begun, for it said "connection: close".
    pub fn end_after_this(&mut self) {
        self.goes_on = false;
    }

    /// Reads up to the end of the final head; interim ones (1xx) are passed over. Returns what
    /// stands behind it, bytes for [`feed`](Self::feed), and `None` while it is incomplete, after a
    /// failure and after `close`. Once the head is complete, that is `data` as it came.
    pub fn feed_head<'d>(&mut self, mut data: &'d [u8]) -> Option<&'d [u8]> {
        if !self.is_sound() {
            return None;
        }
        if let Err(error) = self.read_head(&mut data) {
            self.failure = Some(error);
            return None;
        }
        self.note_behind(data);
        self.head.is_some().then_some(data)
    }

    /// Reads up to the end of the body and hands out what belongs to it: slices of `data`, in
    /// order. Reads the rest of the head first. Bytes behind the end make the connection one
    /// that is not reusable; after a failure, or `close`, nothing comes out.
    #[inline]
    pub fn feed<'d>(&mut self, data: &'d [u8], mut body: impl FnMut(&'d [u8])) {
        let Some(mut data) = self.feed_head(data) else {
            return;
        };
        if let Stage::Body(reader) = &mut self.stage {
            let fed = reader.feed(&mut data, &mut body);
            let has_ended = reader.has_ended();
            if let Err(error) = fed {
                self.failure = Some(error);
            } else if has_ended {
                self.stage = Stage::Ended;
                self.note_behind(data);
            }
        }
    }

    /// Says that the server closed its side: the end of a body that lasts until then, and of any
    /// other a failure.
    pub fn close(&mut self) {
        if !self.is_sound() {
            return;
        }
        self.is_closed = true;
        match &self.stage {
            Stage::New | Stage::Ended => {}
            Stage::Head(reader) => self.failure = Some(reader.close()),
            Stage::Body(reader) => match reader.close() {
                None => self.stage = Stage::Ended,
                failure => self.failure = failure,
            },
        }
    }

    /// The head of the response, once it is complete.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Whether the response is complete.
    pub fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }

    /// Whether another request may be sent: the response is complete, both sides keep the
    /// connection alive, and nothing has arrived behind the response.
    pub fn is_reusable(&self) -> bool {
        self.has_ended() && self.goes_on && self.is_sound()
    }

    /// The error that made the connection unusable.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Reads what of `data` belongs to a head, if one is due.
    fn read_head(&mut self, data: &mut &[u8]) -> Result<(), Error> {
        match &mut self.stage {
            Stage::New if !data.is_empty() => Err(Error::Unasked),
            Stage::Head(reader) => match reader.feed(data, &self.limits)? {
                Some(head) => self.enter_body(head),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Goes on to the body behind `head`.
    fn enter_body(&mut self, head: Head) -> Result<(), Error> {
        let framing = Framing::of(&head, self.is_head)?;
        self.goes_on &= head.keeps_alive() && framing != Framing::UntilClose;
        let body = BodyReader::new(framing, &self.limits);
        self.stage = if body.has_ended() {
            Stage::Ended
        } else {
            Stage::Body(body)
        };
        self.head = Some(head);
        Ok(())
    }

    /// Bytes behind a response answer no request. The response to the next request could not be
    /// distinguished from them.
    fn note_behind(&mut self, data: &[u8]) {
        if self.has_ended() && !data.is_empty() {
            self.goes_on = false;
        }
    }

    fn is_sound(&self) -> bool {
        self.failure.is_none() && !self.is_closed
    }
}
