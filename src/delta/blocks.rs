//! The blocks of an answer: which of them began last is what the reader of raw payloads knows.

use std::collections::BTreeSet;

use super::payload::Beside;

/// So many blocks are kept apart.
pub(super) const MAX_BLOCKS: usize = 1024;

/// The blocks that have begun, by their indexes.
#[derive(Debug)]
pub(super) struct Blocks<I> {
    /// So many at most, and the others count as not begun.
    begun: BTreeSet<I>,
    /// The one that began last.
    pub last: Option<I>,
}

impl<I> Default for Blocks<I> {
    fn default() -> Self {
        Self {
            begun: BTreeSet::new(),
            last: None,
        }
    }
}

impl<I: Copy + Ord> Blocks<I> {
    /// Begins the block `index`.
    pub fn begin(&mut self, index: I) {
        self.last = Some(index);
        if self.begun.len() < MAX_BLOCKS {
            self.begun.insert(index);
        }
    }

    /// What a piece of the block `index` says beside itself: nothing if that block began last. One that has not begun
    /// begins with this piece.
    pub fn beside(&mut self, index: I) -> Beside {
        if self.last == Some(index) {
            return Beside::Nothing;
        }
        if self.begun.contains(&index) {
            return Beside::More;
        }
        self.begin(index);
        Beside::Block
    }
}

impl Blocks<u32> {
    /// The index of a block that begins without one.
    pub fn next(&self) -> u32 {
        self.last.map_or(0, |last| last.saturating_add(1))
    }
}
