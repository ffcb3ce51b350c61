//! The buffer in which a call's bytes are put together: allocating one costs as much as a small read.

use std::cell::RefCell;

/// As much room is kept for the thread's next call, in bytes.
const MAX_SIZE: usize = 1 << 18;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The thread's buffer, empty; a new one, if a call has it.
#[inline]
pub fn take() -> Vec<u8> {
    let mut buffer = BUFFER.take();
    buffer.clear();
    buffer
}

/// Keeps `buffer` for the thread's next call.
#[inline]
pub fn keep(buffer: Vec<u8>) {
    if buffer.capacity() <= MAX_SIZE {
        BUFFER.set(buffer);
    }
}
