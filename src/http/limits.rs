//! The limits of a response.

/// The limits of what a connection keeps or counts of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The size of a head in bytes, interim heads and the blank line included.
    pub head_size: usize,
    /// The number of headers in a head, and of trailers behind a body.
    pub header_count: usize,
    /// The size of the trailers in bytes, without the blank line.
    pub trailer_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_size: 65_536,
            header_count: 128,
            trailer_size: 16_384,
        }
    }
}
