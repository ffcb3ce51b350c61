//! The start of a part of a body, as long as its end has not arrived.

use std::ops::{Deref, DerefMut};

use crate::lines::KEPT_CAPACITY;

/// Bytes that wait for the rest of their part. Once handed out, they are cleared before the next ones.
#[derive(Debug, Default)]
pub(super) struct Carry {
    bytes: Vec<u8>,
    /// The bytes were handed out and are to be cleared.
    pub is_read: bool,
}

impl Carry {
    /// Clears what was handed out.
    pub fn forget_read(&mut self) {
        if self.is_read {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_CAPACITY);
            self.is_read = false;
        }
    }
}

impl Deref for Carry {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Carry {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}
