//! A request → the bytes to send. No argument of a caller can end a line: injection is impossible.

use std::fmt;

/// Why a request cannot be sent. Values are never quoted: they may be secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The method is not a token, or it is CONNECT, which turns the connection into a tunnel.
    Method,
    /// The target is empty, or has a character other than visible ASCII.
    Target,
    /// The name of a header, counted from 0, is not a token.
    HeaderName(usize),
    /// The value of the header with this name holds a control character.
    HeaderValue(String),
    /// There is no host header, or several.
    Host,
    /// A transfer-encoding was given: bodies are sent whole, behind their length.
    TransferEncoding,
    /// A content-length was given, and it is not the body's.
    ContentLength,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "the method is not one that can be sent",
            Self::Target => {
                "the request target may hold visible ASCII characters only, and one at least"
            }
            Self::HeaderName(index) => {
                return write!(f, "the name of header {index} is not a token");
            }
            Self::HeaderValue(name) => {
                return write!(
                    f,
                    "the value of the header {name} holds a control character"
                );
            }
            Self::Host => "a request has exactly one host header",
            Self::TransferEncoding => {
                "a transfer-encoding header cannot be given: the body is sent with its length"
            }
            Self::ContentLength => "the content-length header given is not the length of the body",
        })
    }
}

impl std::error::Error for RequestError {}

/// The head of a request, ready to be sent, and its effect on the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The head, with the blank line.
    pub head: Vec<u8>,
    /// The method is HEAD: no body will follow the response's head.
    pub is_head: bool,
    /// It says "connection: close": no request may follow it.
    pub is_last: bool,
}

/// Writes the head of a request with a body of `body_len` bytes, or without one.
///
/// Headers keep their order and their spelling. Values may hold visible characters, spaces and
/// tabs; other characters than ASCII are sent as UTF-8. With a body, and no content-length among the headers,
/// one is added behind them.
///
/// ```
/// use millstream::http::request;
///
/// let made = request::head("POST", "/v1/models", [("host", "example.org")], Some(2))?;
/// let lines = "POST /v1/models HTTP/1.1\r\nhost: example.org\r\ncontent-length: 2\r\n\r\n";
/// assert_eq!(made.head, lines.as_bytes());
/// assert!(request::head("GET", "/", [("host", "a\r\nx-admin: 1")], None).is_err());
/// # Ok::<(), request::RequestError>(())
/// ```
pub fn head<'a>(
    method: &str,
    target: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body_len: Option<usize>,
) -> Result<Request, RequestError> {
    if !is_token(method) || method == "CONNECT" {
        return Err(RequestError::Method);
    }
    if target.is_empty() || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(RequestError::Target);
    }
    let mut request = Request {
        head: Vec::with_capacity(512),
        is_head: method == "HEAD",
        is_last: false,
    };
    request.write(&[method, " ", target, " HTTP/1.1\r\n"]);
    let mut seen = FramingHeaders::default();
    for (index, (name, value)) in headers.into_iter().enumerate() {
        check_header(index, name, value)?;
        seen.note(name, value, body_len.unwrap_or(0))?;
        request.write(&[name, ": ", value, "\r\n"]);
    }
    if seen.hosts != 1 {
        return Err(RequestError::Host);
    }
    if let Some(length) = body_len.filter(|_| !seen.has_length) {
        request.write(&["content-length: ", &length.to_string(), "\r\n"]);
    }
    request.write(&["\r\n"]);
    request.is_last = seen.closes;
    Ok(request)
}

/// The length to declare for `body`: none for an empty one, unless the method has a meaning for
/// bodies. "A user agent SHOULD send Content-Length in a request when the method defines a meaning
/// for enclosed content": a server may wait for it.
pub fn declared_len(method: &str, body: &[u8]) -> Option<usize> {
    let may_have_none = !matches!(method, "POST" | "PUT" | "PATCH");
    (!body.is_empty() || !may_have_none).then_some(body.len())
}

impl Request {
    fn write(&mut self, parts: &[&str]) {
        for part in parts {
            self.head.extend_from_slice(part.as_bytes());
        }
    }
}

/// The headers of a request that matter for framing.
#[derive(Default)]
struct FramingHeaders {
    hosts: usize,
    has_length: bool,
    closes: bool,
}

impl FramingHeaders {
    fn note(&mut self, name: &str, value: &str, length: usize) -> Result<(), RequestError> {
        if name.eq_ignore_ascii_case("host") {
            self.hosts += 1;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(RequestError::TransferEncoding);
        } else if name.eq_ignore_ascii_case("content-length") {
            if self.has_length || value != length.to_string() {
                return Err(RequestError::ContentLength);
            }
            self.has_length = true;
        } else if name.eq_ignore_ascii_case("connection") {
            let mut options = value.split(',');
            self.closes |= options.any(|option| {
                option
                    .trim_matches([' ', '\t'])
                    .eq_ignore_ascii_case("close")
            });
        }
        Ok(())
    }
}

/// Refuses an invalid header. A character outside ASCII is not a control character by its
/// bytes, but may be one once they are decoded.
fn check_header(index: usize, name: &str, value: &str) -> Result<(), RequestError> {
    if !is_token(name) {
        return Err(RequestError::HeaderName(index));
    }
    let is_allowed = |char: char| char == '\t' || !(char.is_control() || is_separator(char));
    if value.chars().all(is_allowed) {
        Ok(())
    } else {
        Err(RequestError::HeaderValue(name.to_owned()))
    }
}

/// Whether some programs take `char` for the end of a line, though it is not a control character.
fn is_separator(char: char) -> bool {
    matches!(char, '\u{2028}' | '\u{2029}')
}

/// "token = 1*tchar"
fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}
