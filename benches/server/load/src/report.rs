//! The figures of a run.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::judge::Verdict;
use crate::shared::{Moment, Shared, Stream, Upstream};

/// How many of the streams that ended wrongly are described.
const DESCRIBED: usize = 10;

/// Collects the figures of a run, stream by stream.
#[derive(Debug, Default)]
pub struct Figures {
    ended: BTreeMap<&'static str, u64>,
    wrong: Vec<String>,
    wrongs: u64,
    tokens: u64,
    bytes: u64,
    /// The most memory that the gateway had.
    pub peak: u64,
    /// When tokens were written and came.
    times: Vec<(u64, u64)>,
    /// The nanoseconds from a client's leaving to the end of its upstream.
    closed: Vec<u64>,
    setups: Vec<u64>,
}

impl Figures {
    /// Adds a stream; its times are kept if `timed`.
    pub fn add(&mut self, stream: &Stream, verdict: Verdict, timed: bool) {
        *self.ended.entry(verdict.word).or_default() += 1;
        if let Some(wrong) = verdict.wrong {
            self.wrongs += 1;
            if self.wrong.len() < DESCRIBED {
                self.wrong.push(wrong);
            }
        }
        self.tokens += verdict.tokens.len() as u64;
        let Some(got) = &stream.got else { return };
        self.bytes += got.response.body.len() as u64;
        if let (Some(left), Upstream::Closed(closed)) = (got.left, stream.upstream) {
            self.closed.push(closed.saturating_sub(left));
        }
        if timed {
            self.times.extend(verdict.tokens);
        }
    }

    /// Adds how long a stream of one token took.
    pub fn add_setup(&mut self, nanos: u64) {
        self.setups.push(nanos);
    }

    /// Returns the number of streams that ended.
    pub fn streams(&self) -> u64 {
        self.ended.values().sum()
    }

    /// Returns the report.
    pub fn report(mut self, shared: &Shared, before: Moment, after: Moment) -> Value {
        let window = window(shared);
        let (from, to) = window.map_or((0, u64::MAX), |(from, to)| (from.time, to.time));
        let inside = self
            .times
            .iter()
            .filter(|(_, came)| (from..to).contains(came))
            .count();
        let mut late: Vec<u64> = self
            .times
            .iter()
            .filter(|(sent, _)| (from..to).contains(sent))
            .map(|(sent, came)| came.saturating_sub(*sent))
            .collect();
        json!({
            "streams": self.streams(),
            "ended": self.ended,
            "wrong": self.wrong,
            "wrongs": self.wrongs,
            "tokens": self.tokens,
            "bytes": self.bytes,
            "cpu": after.cpu.saturating_sub(before.cpu),
            "nanos": after.time.saturating_sub(before.time),
            "load": after.own.saturating_sub(before.own),
            "window": window.map(|(from, to)| json!({
                "nanos": to.time - from.time,
                "cpu": to.cpu.saturating_sub(from.cpu),
                "load": to.own.saturating_sub(from.own),
                "tokens": inside,
            })),
            "late": quantiles(&mut late),
            "closed": quantiles(&mut self.closed),
            "setup": quantiles(&mut self.setups),
            "resident": {
                "before": before.resident,
                "peak": self.peak,
                "after": after.resident,
            },
            "descriptors": {"before": before.files, "after": after.files},
        })
    }
}

/// Returns the time in which every stream ran.
fn window(shared: &Shared) -> Option<(Moment, Moment)> {
    let (from, to) = shared.steady.zip(shared.first_end)?;
    (from.time < to.time).then_some((from, to))
}

/// Returns the count, the middle, the 99th of a hundred and the most.
fn quantiles(values: &mut [u64]) -> Value {
    values.sort_unstable();
    let at = |share: usize| values.get(values.len() * share / 100).or(values.last());
    json!({"count": values.len(), "p50": at(50), "p99": at(99), "max": values.last()})
}
