//! As much of HTTP/1.1 as the two sides need: a request's end and body, a response's status and body.

/// Returns the position after the head that begins `data`, if the head is complete.
pub fn head_size(data: &[u8]) -> Option<usize> {
    data.windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|found| found + 4)
}

/// Returns the value of a header of a head.
pub fn header<'head>(head: &'head [u8], name: &str) -> Option<&'head str> {
    let text = str::from_utf8(head).ok()?;
    text.split("\r\n").skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Returns the size of the whole request that begins `data`, if it is complete.
pub fn request_size(data: &[u8]) -> Option<(usize, usize)> {
    let head = head_size(data)?;
    let body: usize = header(&data[..head], "content-length")
        .and_then(|size| size.parse().ok())
        .unwrap_or(0);
    (data.len() >= head + body).then_some((head, head + body))
}

/// What is expected next of a response.
#[derive(Debug, PartialEq)]
enum Next {
    Head,
    /// The line of a chunk's size.
    Size,
    /// So many bytes of a chunk, and the line end after them.
    Chunk(usize),
    /// So many bytes of a body with a length.
    Rest(usize),
    /// A body that ends with the connection.
    Any,
    /// The lines after the last chunk.
    Trailer,
    Over,
    Wrong,
}

/// Reads one response.
#[derive(Debug)]
pub struct Response {
    next: Next,
    /// A head or line that is not complete.
    partial: Vec<u8>,
    /// The status, once the head was read.
    pub status: u16,
    /// The body without its chunks' sizes.
    pub body: Vec<u8>,
}

impl Response {
    /// Creates a reader.
    pub fn new() -> Self {
        Self {
            next: Next::Head,
            partial: Vec::new(),
            status: 0,
            body: Vec::new(),
        }
    }

    /// Returns whether the response ended as HTTP says; `closed` if the connection was closed in order.
    pub fn is_complete(&self, closed: bool) -> bool {
        self.next == Next::Over || (closed && self.next == Next::Any)
    }

    /// Returns whether nothing more is expected.
    pub fn is_over(&self) -> bool {
        matches!(self.next, Next::Over | Next::Wrong)
    }

    /// Reads more of the response.
    pub fn feed(&mut self, mut data: &[u8]) {
        while !data.is_empty() && !self.is_over() {
            data = match self.next {
                Next::Head => self.head(data),
                Next::Size | Next::Trailer => self.line(data),
                Next::Chunk(left) => {
                    let taken = left.min(data.len());
                    self.body.extend_from_slice(&data[..taken]);
                    self.next = if taken == left {
                        Next::Size
                    } else {
                        Next::Chunk(left - taken)
                    };
                    &data[taken..]
                }
                Next::Rest(left) => {
                    let taken = left.min(data.len());
                    self.body.extend_from_slice(&data[..taken]);
                    self.next = if taken == left {
                        Next::Over
                    } else {
                        Next::Rest(left - taken)
                    };
                    &data[taken..]
                }
                Next::Any => {
                    self.body.extend_from_slice(data);
                    &[]
                }
                Next::Over | Next::Wrong => &[],
            };
        }
    }

    fn head<'data>(&mut self, data: &'data [u8]) -> &'data [u8] {
        let before = self.partial.len();
        self.partial.extend_from_slice(data);
        let Some(size) = head_size(&self.partial) else {
            return &[];
        };
        let head = &self.partial[..size];
        self.status = str::from_utf8(head)
            .ok()
            .and_then(|text| text.split(' ').nth(1)?.parse().ok())
            .unwrap_or(0);
        let chunked = header(head, "transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length = header(head, "content-length").and_then(|value| value.parse().ok());
        self.next = match (chunked, length) {
            (true, _) => Next::Size,
            (_, Some(0)) => Next::Over,
            (_, Some(length)) => Next::Rest(length),
            _ => Next::Any,
        };
        self.partial.clear();
        &data[size - before..]
    }

    /// Reads a line: the size of a chunk, a trailer, or the empty line after a chunk.
    fn line<'data>(&mut self, data: &'data [u8]) -> &'data [u8] {
        let Some(end) = data.iter().position(|&byte| byte == b'\n') else {
            self.partial.extend_from_slice(data);
            return &[];
        };
        self.partial.extend_from_slice(&data[..end]);
        let line = str::from_utf8(&self.partial).unwrap_or("?").trim_end();
        if self.next == Next::Trailer {
            if line.is_empty() {
                self.next = Next::Over;
            }
        } else if !line.is_empty() {
            self.next = match usize::from_str_radix(line, 16) {
                Ok(0) => Next::Trailer,
                Ok(size) => Next::Chunk(size),
                Err(_) => Next::Wrong,
            };
        }
        self.partial.clear();
        &data[end + 1..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_response_is_read_at_every_split() {
        let data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
        for split in 0..data.len() {
            let mut response = Response::new();
            response.feed(&data[..split]);
            assert!(!response.is_complete(true), "{split}");
            response.feed(&data[split..]);
            assert!(response.is_complete(false));
            assert_eq!((response.status, &response.body[..]), (200, &b"hello!"[..]));
        }
    }

    #[test]
    fn a_body_with_a_length_ends_with_it_and_one_without_with_the_connection() {
        let mut response = Response::new();
        response.feed(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nab");
        assert!(response.is_complete(false) && response.status == 500);
        let mut response = Response::new();
        response.feed(b"HTTP/1.1 200 OK\r\n\r\nab");
        assert!(!response.is_complete(false) && response.is_complete(true));
    }

    #[test]
    fn a_request_is_complete_with_its_body() {
        let data = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(request_size(data), Some((38, 41)));
        assert_eq!(request_size(&data[..40]), None);
    }
}
