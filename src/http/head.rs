//! The head of a response: its status, its headers, and whether they keep the connection alive.

use httparse::{EMPTY_HEADER, Response, Status};
use memchr::{memchr, memchr_iter};

use super::error::{Error, QUOTE_SIZE};
use super::limits::Limits;
use super::section::{NextSection, Section};

/// The first bytes of every response of HTTP/1.
const START: &[u8] = b"HTTP/1.";

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status, 200 to 999.
    pub status: u16,
    /// Names in lower case, and values without the white space around them, in their order.
    /// A value that is not valid UTF-8 is read as Latin-1.
    pub headers: Vec<(String, String)>,
    is_http10: bool,
}

impl Head {
    /// Whether the response is of HTTP/1.0.
    pub fn is_http10(&self) -> bool {
        self.is_http10
    }

    /// The values of all headers called `name`, which is in lower case.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        let named = self.headers.iter().filter(move |header| header.0 == name);
        named.map(|header| header.1.as_str())
    }

    /// Whether the server goes on listening: "The "close" connection option is defined as a signal
    /// that the sender will close this connection"; HTTP/1.0 has to say "keep-alive".
    pub(super) fn keeps_alive(&self) -> bool {
        let has = |option: &str| {
            let mut options = self.values("connection").flat_map(|value| value.split(','));
            options.any(|each| each.trim_matches([' ', '\t']).eq_ignore_ascii_case(option))
        };
        !has("close") && (!self.is_http10 || has("keep-alive"))
    }

    /// Reads a head that is whole. "A user agent that receives an obs-fold in a response message that
    /// is not within a "message/http" container MUST replace each received obs-fold with one or more
    /// SP octets prior to interpreting the field value"; one that says where the body ends is refused.
    fn read(bytes: &[u8], max_count: usize) -> Result<Self, Error> {
        // Neither the status line nor the blank one is a header.
        let lines = memchr_iter(b'\n', bytes).count().saturating_sub(2);
        if lines > max_count && lines - continuations(bytes).count() > max_count {
            return Err(Error::TooManyHeaders(max_count));
        }
        let mut headers = vec![EMPTY_HEADER; lines.min(max_count)];
        let mut response = Response::new(&mut headers);
        let mut config = httparse::ParserConfig::default();
        config.allow_obsolete_multiline_headers_in_responses(true);
        match config.parse_response(&mut response, bytes) {
            Ok(Status::Complete(size)) if size == bytes.len() => {}
            Err(httparse::Error::Version | httparse::Error::Status) => {
                return Err(Error::StatusLine(first_line(bytes)));
            }
            _ if response.code.is_none() => return Err(Error::StatusLine(first_line(bytes))),
            _ => return Err(Error::Header),
        }
        let status = response.code.filter(|code| *code >= 100);
        let Some(status) = status else {
            return Err(Error::StatusLine(first_line(bytes)));
        };
        let is_folded = response.headers.len() < lines;
        if is_folded && continuations(bytes).any(frames) {
            return Err(Error::Header);
        }
        let value = if is_folded { unfold } else { text };
        let headers = response.headers.iter();
        Ok(Self {
            status,
            headers: headers
                .map(|header| (header.name.to_ascii_lowercase(), value(header.value)))
                .collect(),
            is_http10: response.version == Some(0),
        })
    }
}

/// The lines that go on with a header: of each, the line that its header begins with.
fn continuations(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begins: &[u8] = &[];
    head.split(|byte| *byte == b'\n').filter_map(move |line| {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Some(begins);
        }
        begins = line;
        None
    })
}

/// Whether the header that begins with `line` says where the body ends.
fn frames(line: &[u8]) -> bool {
    let names: [&[u8]; 2] = [b"content-length:", b"transfer-encoding:"];
    let is_named = |name: &[u8]| {
        line.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    names.into_iter().any(is_named)
}

/// The value of a header whose lines are folded: the end of a line, and the white space that the next
/// one begins with, are one space.
fn unfold(value: &[u8]) -> String {
    let lines = value.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_start());
    text(&lines.collect::<Vec<_>>().join(&b' '))
}

/// The value of a header.
fn text(value: &[u8]) -> String {
    let value = value.trim_ascii();
    match simdutf8::basic::from_utf8(value) {
        Ok(value) => value.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

/// The first line, cut where an error stops quoting.
fn first_line(bytes: &[u8]) -> Vec<u8> {
    let cut = &bytes[..bytes.len().min(QUOTE_SIZE)];
    let line = &cut[..memchr(b'\n', cut).unwrap_or(cut.len())];
    line.strip_suffix(b"\r").unwrap_or(line).to_vec()
}

/// How a head begins.
#[derive(Debug)]
enum Start {
    /// So many bytes of [`START`] have arrived.
    Begun(usize),
    /// The bytes are not a response: their first line, as far as it is quoted.
    Garbage(Vec<u8>),
}

/// Reads the final head of a response, and passes over interim ones.
#[derive(Debug)]
pub(super) struct HeadReader {
    section: Section,
    start: Start,
    /// The size of the interim heads.
    used: usize,
}

impl HeadReader {
    /// A reader at the start of a response.
    pub fn new() -> Self {
        Self {
            section: Section::of_head(),
            start: Start::Begun(0),
            used: 0,
        }
    }

    /// The final head, if it is complete; moves `data` on past the bytes read.
    pub fn feed(&mut self, data: &mut &[u8], limits: &Limits) -> Result<Option<Head>, Error> {
        while !data.is_empty() {
            let room = limits.head_size - self.used;
            let fitting = data.len().min(room - self.section.len());
            self.check_start(&data[..fitting], room)?;
            if let Start::Garbage(_) = self.start {
                return Ok(None);
            }
            let before = self.section.len() + data.len();
            let head = match self.section.next(data, room) {
                NextSection::More => return Ok(None),
                NextSection::TooLarge => return Err(Error::HeadTooLarge(limits.head_size)),
                NextSection::Section(bytes) => Head::read(bytes, limits.header_count)?,
            };
            let size = before - data.len();
            match head.status {
                // "A server MUST NOT switch to a protocol that was not indicated by the client".
                101 => return Err(Error::SwitchedProtocols),
                // "A client MUST be able to parse one or more 1xx responses received prior to a
                // final response, even if the client does not expect one." They share the limit,
                // or a server could send them without end.
                100..=199 => {
                    *self = Self::new_behind(self.used + size);
                }
                _ => return Ok(Some(head)),
            }
        }
        Ok(None)
    }

    fn new_behind(used: usize) -> Self {
        Self {
            used,
            ..Self::new()
        }
    }

    /// Refuses bytes that are not a response with their first line, instead of waiting for a blank one.
    fn check_start(&mut self, data: &[u8], room: usize) -> Result<(), Error> {
        if let Start::Begun(count) = &mut self.start {
            let due = &START[*count..];
            let same = due.iter().zip(data).take_while(|(due, byte)| due == byte);
            let same = same.count();
            if same == due.len() || same == data.len() {
                *count += same;
                return Ok(());
            }
            self.start = Start::Garbage(START[..*count].to_vec());
        }
        if let Start::Garbage(line) = &mut self.start {
            let most = QUOTE_SIZE.min(room);
            let mine = &data[..data.len().min(most - line.len())];
            let end = memchr(b'\n', mine);
            line.extend_from_slice(&mine[..end.unwrap_or(mine.len())]);
            if end.is_some() || line.len() == most {
                return Err(Error::NotHttp(first_line(line)));
            }
        }
        Ok(())
    }

    /// The error for a connection that ends here.
    pub fn close(&self) -> Error {
        match &self.start {
            Start::Garbage(line) => Error::NotHttp(first_line(line)),
            Start::Begun(0) if self.used == 0 => Error::ClosedBeforeResponse,
            Start::Begun(_) => Error::ClosedInHead,
        }
    }
}
