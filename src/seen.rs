//! What a decoder has seen of its stream, for the message of a stream that ended without output.

use crate::error::cut;
use crate::json::{Raw, Reader};
use crate::utf8;

/// How many of the first bytes are kept.
const HEAD_SIZE: usize = 64;
/// How many keys of the first payload are kept, and how many characters of each.
const MAX_KEYS: usize = 8;
const MAX_NAME: usize = 40;

/// The line ends that a stream lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// All of it is one line, without an end.
    LineEnds,
    /// It has lines, and no blank one that would end a frame.
    BlankLines,
}

/// A frame of another format.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// The format.
    pub found: &'static str,
    /// Where the frame's data starts.
    pub offset: u64,
    /// The data, cut.
    pub frame: Vec<u8>,
}

/// What a decoder has seen of a stream.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Frames with data.
    pub frames: u64,
    /// The first frame's event.
    pub event: String,
    /// The first keys of the first frame's payload.
    pub keys: Vec<String>,
    /// The first bytes of the stream.
    pub head: Vec<u8>,
    /// The line ends it lacks, where it ended without a frame.
    pub missing: Option<Missing>,
    /// The first frame that is recognisably another format's, while none of this format's came.
    pub foreign: Option<Foreign>,
}

impl Seen {
    /// Keeps the first bytes.
    #[inline]
    pub fn take_head(&mut self, data: &[u8]) {
        if self.head.len() < HEAD_SIZE {
            let room = HEAD_SIZE - self.head.len();
            self.head.extend_from_slice(&data[..data.len().min(room)]);
        }
    }

    /// Looks at a frame: the first of all, or one that came before any choice; `own` is the decoder's format.
    pub fn look(&mut self, event: &[u8], data: &[u8], offset: u64, own: &str) {
        let event = utf8::decode(event);
        let payload = utf8::decode(data);
        let members = Members::of(&payload);
        if self.frames == 1 {
            self.event = event.chars().take(MAX_NAME).collect();
            self.keys.clone_from(&members.keys);
        }
        if self.foreign.is_none() {
            let found = members.format(&event).filter(|found| *found != own);
            self.foreign = found.map(|found| Foreign {
                found,
                offset,
                frame: cut(data),
            });
        }
    }
}

/// The format of a body that is several JSON objects, one a line, the last perhaps cut; `None` if it
/// is not such a body.
pub fn json_lines(body: &[u8]) -> Option<&'static str> {
    let text = utf8::decode(body);
    let mut lines = text
        .split('\n')
        .filter(|line| !line.trim_matches([' ', '\t', '\r']).is_empty());
    let first = lines.next()?;
    let rest: Vec<&str> = lines.collect();
    let (_, whole) = rest.split_last()?;
    let members = Members::of(first);
    let is_object = |line: &&str| Members::of(line).is_object;
    if members.is_object && whole.iter().all(is_object) {
        Some(members.format("").unwrap_or("JSON lines"))
    } else {
        None
    }
}

/// The members of a payload that identify its format.
#[derive(Debug, Default)]
struct Members<'p> {
    /// It is an object, and not an empty one.
    is_object: bool,
    keys: Vec<String>,
    kind: Option<Raw<'p>>,
    object: Option<Raw<'p>>,
    /// Which of [`TELLING`] are there.
    has: [bool; TELLING.len()],
}

const TELLING: [&str; 9] = [
    "choices",
    "candidates",
    "done",
    "message",
    "response",
    "content",
    "stop",
    "token",
    "generated_text",
];

impl<'p> Members<'p> {
    /// Those of `text`; none if it is not a JSON object.
    fn of(text: &'p str) -> Self {
        let mut found = Self::default();
        let mut reader = Reader::new(text);
        if reader.peek() != b'{' {
            return found;
        }
        let read = reader.members(|reader, name| {
            let key: String = name.chars().take(MAX_NAME).collect();
            if found.keys.len() < MAX_KEYS && !found.keys.contains(&key) {
                found.keys.push(key);
            }
            if let Some(at) = TELLING.iter().position(|telling| *telling == name) {
                found.has[at] = true;
            }
            match name {
                "type" => reader.string_or_skip().map(|kind| found.kind = kind),
                "object" => reader.string_or_skip().map(|object| found.object = object),
                _ => reader.skip(),
            }
        });
        if read.and_then(|()| reader.end()).is_err() {
            return Self::default();
        }
        found.is_object = !found.keys.is_empty();
        found
    }

    /// The format, none of those that have choices, that these are a payload of.
    fn format(&self, event: &str) -> Option<&'static str> {
        let kind = self.kind.map(Raw::whole).unwrap_or_default();
        let [
            choices,
            candidates,
            done,
            message,
            response,
            content,
            stop,
            token,
            generated,
        ] = self.has;
        let is_one_of = |names: &[&str]| {
            names
                .iter()
                .any(|name| *name == event || *name == kind.as_ref())
        };
        match () {
            () if choices => None,
            () if kind == "message" && content => Some("anthropic.messages"),
            () if self
                .object
                .is_some_and(|object| object.whole() == "response") =>
            {
                Some("openai.responses")
            }
            () if is_one_of(&[
                "message_start",
                "content_block_start",
                "content_block_delta",
            ]) =>
            {
                Some("anthropic.messages")
            }
            () if event.starts_with("response.") || kind.starts_with("response.") => {
                Some("openai.responses")
            }
            () if is_one_of(&["message-start", "content-start", "content-delta"]) => {
                Some("cohere.v2")
            }
            () if candidates => Some("gemini.generate"),
            () if done && message => Some("ollama.chat"),
            () if done && response => Some("ollama.generate"),
            () if content && stop => Some("llamacpp.completion"),
            () if token && generated => Some("tgi.generate"),
            () => None,
        }
    }
}
