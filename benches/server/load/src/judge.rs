//! Judges each stream: its text must be the upstream's, whole or, where something went wrong, up to that.

use crate::plan::{Fault, Leave, Spec};
use crate::shared::{Got, Stream, Upstream};
use crate::text::{text, token};
use crate::wire::{Said, Wire};

/// How a stream ended.
#[derive(Debug)]
pub struct Verdict {
    /// A word for the way it ended.
    pub word: &'static str,
    /// Why that is wrong.
    pub wrong: Option<String>,
    /// When each token was written, and when it had come.
    pub tokens: Vec<(u64, u64)>,
}

/// Judges a stream.
pub fn judge(id: u64, stream: &Stream, spec: &Spec) -> Verdict {
    let Some(got) = &stream.got else {
        return Verdict {
            word: "unfinished",
            wrong: Some(format!("{id}: not finished")),
            tokens: Vec::new(),
        };
    };
    // The body of another status is an error, in any form.
    let said = match got.response.status {
        200 => spec.wire.read(&got.response.body),
        _ => Said::default(),
    };
    let tokens = arrivals(id, stream, got, &said);
    let (word, wrong) = match check(id, stream, got, &said, spec) {
        Ok(word) => (word, None),
        Err(reason) => ("wrong", Some(describe(id, stream, got, &said, &reason))),
    };
    Verdict {
        word,
        wrong,
        tokens,
    }
}

fn check(
    id: u64,
    stream: &Stream,
    got: &Got,
    said: &Said,
    spec: &Spec,
) -> Result<&'static str, String> {
    let found = said.text();
    let whole = text(id, spec.tokens);
    let mark = said.ended || !spec.wire.has_end_mark();
    let is_whole =
        got.complete && got.response.status == 200 && found == whole && mark && !said.failed;
    if !whole.starts_with(&found) {
        return Err(format!("{found:?} is not how the text begins"));
    }
    if got.left.is_some() {
        return left(stream);
    }
    let sent = u32::try_from(stream.sent.len()).unwrap_or(u32::MAX);
    let has_all = found == text(id, sent);
    match stream.fault {
        // The stream may be over before its client leaves.
        Fault::None | Fault::Leaves(..) | Fault::Stops(_) if is_whole => Ok("whole"),
        _ if spec.killed && got.response.status == 0 => Ok("refused while the server was down"),
        _ if spec.killed && !got.complete => Ok("cut by the end of the server"),
        _ if spec.killed && (said.failed || got.response.status >= 500) => {
            Ok("error, at the end of the server or before")
        }
        Fault::Cut(Leave::Reset, _) => honest(spec.wire, got, said, "upstream reset"),
        Fault::Cut(..) | Fault::ErrorFrame(_) if !has_all => {
            Err("text is missing before the error".to_owned())
        }
        Fault::Cut(..) => honest(spec.wire, got, said, "upstream cut"),
        Fault::ErrorFrame(_) => honest(spec.wire, got, said, "upstream error frame"),
        Fault::Status(_) => honest(spec.wire, got, said, "upstream status"),
        Fault::Raise(_) if is_whole => Ok("whole"),
        Fault::Raise(_) => honest(spec.wire, got, said, "server raised"),
        _ => Err("not whole".to_owned()),
    }
}

/// A client that left must have closed the upstream.
fn left(stream: &Stream) -> Result<&'static str, String> {
    match stream.upstream {
        Upstream::Answering => Err("the upstream is still open".to_owned()),
        Upstream::Closed(_) => Ok("left, and the upstream was closed"),
        Upstream::Written | Upstream::Unasked => Ok("left at the end"),
    }
}

/// An end that is not whole must say so: by a status, an error record, or a cut connection.
fn honest(wire: Wire, got: &Got, said: &Said, word: &'static str) -> Result<&'static str, String> {
    let secret = String::from_utf8_lossy(&got.response.body).contains("secret");
    if secret {
        return Err("the upstream's words reached the client".to_owned());
    }
    if got.response.status != 200 || said.failed || (!got.complete && !wire.has_end_mark()) {
        return Ok(word);
    }
    Err(format!("{word}, and the client does not know"))
}

fn describe(id: u64, stream: &Stream, got: &Got, said: &Said, reason: &str) -> String {
    let shown: String = String::from_utf8_lossy(&got.response.body)
        .chars()
        .take(200)
        .collect();
    format!(
        "{id}: {reason} (fault {:?}, status {}, complete {}, end mark {}, error {}, {} tokens of {} sent, upstream {:?}; {shown:?})",
        stream.fault,
        got.response.status,
        got.complete,
        said.ended,
        said.failed,
        said.texts.len(),
        stream.sent.len(),
        stream.upstream,
    )
}

/// Returns when each token was written, and when its text had come.
fn arrivals(id: u64, stream: &Stream, got: &Got, said: &Said) -> Vec<(u64, u64)> {
    let mut found = Vec::with_capacity(stream.sent.len());
    let (mut due, mut have, mut read, mut place) = (0, 0, 0, 0);
    for (number, &sent) in (0..).zip(&stream.sent) {
        due += token(id, number).len();
        while have < due {
            let Some((end, text)) = said.texts.get(place) else {
                return found;
            };
            have += text.len();
            place += 1;
            while got.reads.get(read).is_some_and(|(size, _)| size < end) {
                read += 1;
            }
        }
        let Some(&(_, time)) = got.reads.get(read) else {
            return found;
        };
        found.push((sent, time));
    }
    found
}
