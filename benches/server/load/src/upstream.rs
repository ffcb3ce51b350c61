//! A connection of the model's server: it answers chat completions, whose streams the prompt names.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use mio::net::TcpStream;
use socket2::SockRef;

use crate::http::request_size;
use crate::plan::{Fault, Leave, unit};
use crate::shared::{Due, Shared, Upstream as State};
use crate::text::token;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
    cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
const ERROR: &str =
    r#"data: {"error":{"message":"the model failed","type":"server_error","code":null}}"#;
/// As much is written ahead of a gateway that does not read.
const AHEAD: usize = 1 << 16;

/// The answer to a request.
struct Answer {
    id: u64,
    usage: bool,
    /// The number of the next token.
    next: u32,
    start: u64,
    fault: Fault,
    /// Whether all has been put out that will be.
    over: bool,
}

/// A connection.
pub struct Upstream {
    socket: TcpStream,
    key: usize,
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    answer: Option<Answer>,
    /// Whether a timer is set for the next token.
    waiting: bool,
}

impl Upstream {
    /// Takes an accepted connection.
    pub fn new(socket: TcpStream, key: usize) -> Self {
        let _ = socket.set_nodelay(true);
        Self {
            socket,
            key,
            input: Vec::new(),
            output: Vec::new(),
            written: 0,
            answer: None,
            waiting: false,
        }
    }

    /// Reads and writes what can be; returns whether the connection goes on.
    pub fn ready(&mut self, readable: bool, buffer: &mut [u8], shared: &mut Shared) -> bool {
        if readable && !self.read(buffer, shared) {
            self.lost(shared);
            return false;
        }
        self.pump(shared)
    }

    /// Puts out the tokens that are due; returns whether the connection goes on.
    pub fn token(&mut self, shared: &mut Shared) -> bool {
        self.waiting = false;
        self.pump(shared)
    }

    /// Returns whether it answers nothing.
    pub fn is_idle(&self) -> bool {
        self.answer.is_none() && self.output.is_empty()
    }

    /// Notes that the gateway closed the connection.
    pub fn lost(&mut self, shared: &mut Shared) {
        if let Some(answer) = self.answer.take() {
            shared.upstream(answer.id, State::Closed(shared.now));
        }
    }

    fn read(&mut self, buffer: &mut [u8], shared: &mut Shared) -> bool {
        loop {
            match self.socket.read(buffer) {
                Ok(0) => return false,
                Ok(size) => {
                    self.input.extend_from_slice(&buffer[..size]);
                    self.request(shared);
                    if size < buffer.len() {
                        return true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }

    /// Begins the answer to a complete request.
    fn request(&mut self, shared: &mut Shared) {
        if self.answer.is_some() {
            return;
        }
        let Some((head, size)) = request_size(&self.input) else {
            return;
        };
        let body = String::from_utf8_lossy(&self.input[head..size]).into_owned();
        self.input.drain(..size);
        let number = |text: &str| {
            text.chars()
                .map_while(|one| one.to_digit(10))
                .fold(0, |sum, one| sum * 10 + u64::from(one))
        };
        let id = body.split_once("load-").map_or(0, |(_, rest)| number(rest));
        let Some(fault) = shared.streams.get(&id).map(|stream| stream.fault) else {
            self.output
                .extend_from_slice(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
            return;
        };
        shared.upstream(id, State::Answering);
        if let Fault::Status(status) = fault {
            let error = r#"{"error":{"message":"no: secret","type":"refused","code":null}}"#;
            let size = error.len();
            let head = format!(
                "HTTP/1.1 {status} No\r\ncontent-type: application/json\r\nretry-after: 7\r\ncontent-length: {size}\r\n\r\n"
            );
            self.output.extend_from_slice(head.as_bytes());
            self.output.extend_from_slice(error.as_bytes());
            shared.upstream(id, State::Written);
            return;
        }
        let usage = body.replace(' ', "").contains("\"include_usage\":true");
        self.output.extend_from_slice(HEAD.as_bytes());
        // The first token comes at a moment of its own, as the streams of different users do.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let phase = if shared.spec.rate > 0.0 {
            (unit(id, 7) * 1e9 / shared.spec.rate) as u64
        } else {
            0
        };
        let answer = Answer {
            id,
            usage,
            next: 0,
            start: shared.now + phase,
            fault,
            over: false,
        };
        self.frame(
            id,
            r#"{"role":"assistant","content":"","refusal":null}"#,
            "null",
        );
        self.answer = Some(answer);
    }

    /// Puts out what is due, and writes it.
    fn pump(&mut self, shared: &mut Shared) -> bool {
        if let Some(mut answer) = self.answer.take() {
            while !answer.over
                && self.output.len() - self.written < AHEAD
                && due(&answer, shared) <= shared.now
            {
                if !self.put(&mut answer, shared) {
                    return false;
                }
                if shared.spec.rate == 0.0 && answer.next.is_multiple_of(16) {
                    break;
                }
            }
            self.answer = Some(answer);
        }
        let Ok(emptied) = self.flush() else {
            self.lost(shared);
            return false;
        };
        if let Some(answer) = &self.answer {
            if answer.over && emptied {
                let id = answer.id;
                self.answer = None;
                shared.upstream(id, State::Written);
            } else if !answer.over && emptied && !self.waiting && !is_silent(answer) {
                self.waiting = true;
                shared.set(due(answer, shared), self.key, Due::Token);
            }
        }
        true
    }

    /// Puts out one token, or what comes in its place; returns whether the connection goes on.
    fn put(&mut self, answer: &mut Answer, shared: &mut Shared) -> bool {
        match answer.fault {
            Fault::Cut(how, after) if answer.next == after => {
                let _ = self.flush();
                if how == Leave::Reset {
                    let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
                }
                shared.upstream(answer.id, State::Written);
                return false;
            }
            Fault::ErrorFrame(after) if answer.next == after => {
                self.chunk(&format!("{ERROR}\n\n"));
                self.output.extend_from_slice(b"0\r\n\r\n");
                answer.over = true;
                return true;
            }
            _ => {}
        }
        let text = escaped(token(answer.id, answer.next));
        self.frame(answer.id, &format!("{{\"content\":{text}}}"), "null");
        answer.next += 1;
        shared.sent(answer.id);
        if answer.next == shared.spec.tokens {
            self.end(answer);
            answer.over = true;
        }
        true
    }

    /// Puts out the end of a whole answer.
    fn end(&mut self, answer: &Answer) {
        self.frame(answer.id, "{}", "\"stop\"");
        if answer.usage {
            let tokens = answer.next;
            self.chunk(&format!(
                "data: {{\"id\":\"chatcmpl-{id}\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-mini\",\
                 \"choices\":[],\"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":{tokens},\"total_tokens\":{total}}}}}\n\n",
                id = answer.id,
                total = tokens + 3,
            ));
        }
        self.chunk("data: [DONE]\n\n");
        self.output.extend_from_slice(b"0\r\n\r\n");
    }

    /// Puts out the frame of one delta.
    fn frame(&mut self, id: u64, delta: &str, reason: &str) {
        self.chunk(&format!(
            "data: {{\"id\":\"chatcmpl-8abcDEFghiJKLmnoPQRs{id}\",\"object\":\"chat.completion.chunk\",\
             \"created\":1700000000,\"model\":\"gpt-4o-mini\",\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{{\
             \"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{reason}}}]}}\n\n"
        ));
    }

    /// Puts out a chunk of the body.
    fn chunk(&mut self, text: &str) {
        let mut size = String::new();
        let _ = write!(size, "{:x}\r\n", text.len());
        for part in [size.as_bytes(), text.as_bytes(), b"\r\n"] {
            self.output.extend_from_slice(part);
        }
    }

    /// Writes; returns whether all was written.
    fn flush(&mut self) -> std::io::Result<bool> {
        while self.written < self.output.len() {
            match self.socket.write(&self.output[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(size) => self.written += size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(true)
    }
}

/// Returns when the next token is due.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn due(answer: &Answer, shared: &Shared) -> u64 {
    if is_silent(answer) {
        return u64::MAX;
    }
    if shared.spec.rate == 0.0 {
        return answer.start;
    }
    answer.start + (f64::from(answer.next) * 1e9 / shared.spec.rate) as u64
}

fn is_silent(answer: &Answer) -> bool {
    matches!(answer.fault, Fault::Silent(after) if answer.next >= after)
}

/// Returns a string of JSON.
fn escaped(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
