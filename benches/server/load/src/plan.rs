//! What a run is to do, and what one of its streams is to do.

use serde_json::Value;

use crate::text::pick;
use crate::wire::Wire;

/// How a client leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leave {
    /// It closes the connection in order.
    Fin,
    /// It resets the connection.
    Reset,
}

/// What goes wrong with a stream; the numbers are tokens before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The client leaves after so many reads.
    Leaves(Leave, u32),
    /// The client stops reading, and leaves later.
    Stops(u32),
    /// The upstream closes the connection.
    Cut(Leave, u32),
    /// The upstream sends an error in place of a token, and ends.
    ErrorFrame(u32),
    /// The upstream answers with a status.
    Status(u16),
    /// The upstream says nothing more, and the client leaves.
    Silent(u32),
    /// The code of the server raises after so many chunks.
    Raise(u32),
}

impl Fault {
    /// Returns the fault of a stream, of which a share has one.
    pub fn of(id: u64, share: f64, tokens: u32) -> Self {
        if unit(id, 101) >= share {
            return Self::None;
        }
        let after = 1 + u32::try_from(pick(id, 102, u64::from(tokens.max(2)) - 1)).unwrap_or(0);
        match pick(id, 103, 10) {
            0 => Self::Leaves(Leave::Fin, after),
            1 => Self::Leaves(Leave::Reset, after),
            2 => Self::Stops(after),
            3 => Self::Cut(Leave::Fin, after),
            4 => Self::Cut(Leave::Reset, after),
            5 => Self::ErrorFrame(after),
            6 => Self::Status(if pick(id, 104, 2) == 0 { 429 } else { 500 }),
            7 => Self::Silent(after),
            _ => Self::Raise(after),
        }
    }
}

/// Returns a number from 0 to 1 that depends on a stream alone.
#[allow(clippy::cast_precision_loss)]
pub fn unit(id: u64, salt: u64) -> f64 {
    pick(id, salt, 1 << 20) as f64 / f64::from(1 << 20)
}

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The gateway's port, and its process if that is to be measured.
    pub port: u16,
    pub pid: Option<u32>,
    /// The request's path, and the body, in which `%PROMPT%` stands for the prompt.
    pub path: String,
    pub body: String,
    pub wire: Wire,
    /// How many streams there are, and at most at once; one begins every `gap` nanoseconds.
    pub streams: u64,
    pub at_once: u64,
    pub gap: u64,
    pub tokens: u32,
    /// Tokens a second and stream; 0 is as fast as they are taken.
    pub rate: f64,
    /// All clients leave so many nanoseconds after their first read.
    pub leave: Option<(Leave, u64)>,
    /// All upstreams are silent after so many tokens.
    pub silent: Option<u32>,
    /// All clients stop to read so many nanoseconds after their first read.
    pub stop: Option<u64>,
    /// The share of streams that have a fault.
    pub faults: f64,
    /// The process may be killed: streams that end early are counted, and not wrong.
    pub killed: bool,
    /// No stream begins after so many nanoseconds; the run is given up at `limit`.
    pub until: u64,
    pub limit: u64,
}

impl Spec {
    /// Reads a command: a JSON object.
    pub fn read(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let number = |key: &str, default: u64| value[key].as_u64().unwrap_or(default);
        let millis = |key: &str| value[key].as_f64().map(nanos);
        let string = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let leave = match value["leave"].as_str() {
            Some("fin") => Some(Leave::Fin),
            Some("reset") => Some(Leave::Reset),
            _ => None,
        };
        Ok(Self {
            port: u16::try_from(number("port", 0)).map_err(|error| error.to_string())?,
            pid: value["pid"]
                .as_u64()
                .and_then(|pid| u32::try_from(pid).ok()),
            path: string("path"),
            body: string("body"),
            wire: Wire::named(&string("wire")).ok_or("unknown wire")?,
            streams: number("streams", 1),
            at_once: number("at_once", u64::MAX),
            gap: millis("gap_ms").unwrap_or(nanos(1.0)),
            tokens: u32::try_from(number("tokens", 1)).map_err(|error| error.to_string())?,
            rate: value["rate"].as_f64().unwrap_or(0.0),
            leave: leave.zip(millis("leave_ms")),
            silent: value["silent"]
                .as_u64()
                .and_then(|count| u32::try_from(count).ok()),
            stop: millis("stop_ms"),
            faults: value["faults"].as_f64().unwrap_or(0.0),
            killed: value["killed"].as_bool().unwrap_or(false),
            until: millis("until_ms").unwrap_or(u64::MAX),
            limit: millis("limit_ms").unwrap_or(nanos(120_000.0)),
        })
    }

    /// Returns the fault of a stream.
    pub fn fault(&self, id: u64) -> Fault {
        self.silent
            .map_or_else(|| Fault::of(id, self.faults, self.tokens), Fault::Silent)
    }
}

/// Returns milliseconds as nanoseconds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn nanos(millis: f64) -> u64 {
    (millis * 1e6).max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_defaults() -> Result<(), String> {
        let spec = Spec::read(
            r#"{"port": 1, "wire": "text", "leave": "fin", "leave_ms": 0.5, "rate": 20}"#,
        )?;
        assert_eq!(
            (spec.streams, spec.tokens, spec.leave),
            (1, 1, Some((Leave::Fin, 500_000)))
        );
        assert_eq!(spec.fault(5), Fault::None);
        assert!(Spec::read(r#"{"wire": "x"}"#).is_err());
        Ok(())
    }

    #[test]
    fn a_fifth_of_the_streams_has_a_fault() {
        let faults = (0..10_000)
            .filter(|&id| Fault::of(id, 0.2, 50) != Fault::None)
            .count();
        assert!((1_800..2_200).contains(&faults), "{faults}");
    }
}
