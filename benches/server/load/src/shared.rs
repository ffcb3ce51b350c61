//! What both sides of a run share: the clock, the timers, the streams.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Instant;

use crate::http::Response;
use crate::plan::{Fault, Spec};
use crate::process;

/// What a timer is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Due {
    /// The next stream begins.
    Open,
    /// The next token of an upstream is due.
    Token,
    /// A client leaves.
    Leave,
    /// A client stops to read.
    Stop,
}

/// How far the upstream of a stream is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Upstream {
    /// No request came.
    Unasked,
    Answering,
    /// All that was planned has been written.
    Written,
    /// The gateway closed the connection before that, at this time.
    Closed(u64),
}

/// What a client got.
#[derive(Debug)]
pub struct Got {
    pub response: Response,
    /// The size of the body after each read, and the time of the read.
    pub reads: Vec<(usize, u64)>,
    /// Whether the response ended as HTTP says.
    pub complete: bool,
    /// When the client left, if it did.
    pub left: Option<u64>,
}

impl Got {
    /// Returns what a client got that could not connect.
    pub fn none() -> Self {
        Self {
            response: Response::new(),
            reads: Vec::new(),
            complete: false,
            left: None,
        }
    }
}

/// One stream, as both sides see it.
#[derive(Debug)]
pub struct Stream {
    pub fault: Fault,
    pub upstream: Upstream,
    /// When each token was written.
    pub sent: Vec<u64>,
    pub got: Option<Got>,
    /// When the client began and ended.
    pub began: u64,
    pub ended: u64,
}

/// A moment of a run, with the CPU time that the gateway had used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    pub time: u64,
    pub cpu: u64,
    pub own: u64,
    pub resident: u64,
    /// Descriptors, where they were counted.
    pub files: usize,
}

/// What both sides share.
pub struct Shared {
    pub spec: Spec,
    pub streams: HashMap<u64, Stream>,
    pub now: u64,
    begin: Instant,
    timers: BinaryHeap<Reverse<(u64, usize, Due)>>,
    /// How many streams have a first token.
    begun: u64,
    /// When every stream had its first token, and when the first had its last.
    pub steady: Option<Moment>,
    pub first_end: Option<Moment>,
    /// Streams that wait to be judged.
    pub finished: Vec<u64>,
}

impl Shared {
    /// Creates the state of a run.
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            streams: HashMap::new(),
            now: 0,
            begin: Instant::now(),
            timers: BinaryHeap::new(),
            begun: 0,
            steady: None,
            first_end: None,
            finished: Vec::new(),
        }
    }

    /// Reads the clock.
    pub fn tick(&mut self) {
        self.now = u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    }

    /// Sets a timer for a connection.
    pub fn set(&mut self, due: u64, connection: usize, what: Due) {
        self.timers.push(Reverse((due, connection, what)));
    }

    /// Returns the time of the next timer.
    pub fn next_due(&self) -> Option<u64> {
        self.timers.peek().map(|Reverse((due, ..))| *due)
    }

    /// Returns the next timer that is due.
    pub fn take_due(&mut self) -> Option<(usize, Due)> {
        let &Reverse((due, connection, what)) = self.timers.peek()?;
        if due > self.now {
            return None;
        }
        self.timers.pop();
        Some((connection, what))
    }

    /// Returns this moment.
    pub fn moment(&self) -> Moment {
        let (cpu, resident) = self
            .spec
            .pid
            .map_or((0, 0), |pid| (process::cpu(pid), process::resident(pid)));
        Moment {
            time: self.now,
            cpu,
            own: process::cpu(std::process::id()),
            resident,
            files: 0,
        }
    }

    /// Notes that a stream's token was written.
    pub fn sent(&mut self, id: u64) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        stream.sent.push(self.now);
        if stream.sent.len() == 1 {
            self.begun += 1;
            if self.begun == self.spec.streams {
                self.steady = Some(self.moment());
            }
        }
    }

    /// Notes how far an upstream is.
    pub fn upstream(&mut self, id: u64, state: Upstream) {
        if state == Upstream::Written && self.first_end.is_none() && self.spec.faults == 0.0 {
            self.first_end = Some(self.moment());
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.upstream = state;
            self.finish(id);
        }
    }

    /// Notes what a client got.
    pub fn got(&mut self, id: u64, got: Got) {
        let now = self.now;
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.got = Some(got);
            stream.ended = now;
            self.finish(id);
        }
    }

    /// Lists a stream as finished, once both of its sides are.
    fn finish(&mut self, id: u64) {
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        if stream.got.is_some() && stream.upstream != Upstream::Answering {
            self.finished.push(id);
        }
    }
}
