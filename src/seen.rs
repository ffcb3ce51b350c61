//! What a decoder has seen of its stream, for the message of a stream that ended without output.

use crate::error::{Unit, cut};
use crate::framing::Sent;
use crate::json::{InvalidJson, Raw, Reader};
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
    /// Returns the format that it is a payload of.
    pub fn look(&mut self, sent: &Sent<'_>, own: &str) -> Option<&'static str> {
        let event = utf8::decode(sent.event);
        let payload = utf8::decode(sent.data);
        let members = Members::of(&payload);
        if self.frames == 1 {
            self.event = event.chars().take(MAX_NAME).collect();
            self.keys.clone_from(&members.keys);
        }
        let found = match sent.unit {
            Unit::Message => members.format_of_message(&event),
            _ => members.format(&event),
        };
        if self.foreign.is_none() {
            self.foreign = found
                .filter(|found| is_foreign(found, own))
                .map(|found| Foreign {
                    found,
                    offset: sent.offset,
                    frame: cut(sent.data),
                });
        }
        found
    }
}

/// Whether a payload of the format `found` says that a stream is not one of `own`. Both formats with choices
/// read each other's errors and usage, and the format to be found may be any.
fn is_foreign(found: &str, own: &str) -> bool {
    let has_choices = |name: &str| name == "openai.chat" || name == "openai.completions";
    found != own && own != "auto" && !(has_choices(found) && has_choices(own))
}

/// The format of a body that is one document: of a payload, or of those that only a whole answer tells.
pub fn format_of_body(body: &[u8]) -> Option<&'static str> {
    let text = utf8::decode(body);
    let members = Members::of(&text);
    members.format("").or(match () {
        () if members.has("generated_text") => Some("tgi.generate"),
        () if members.has("output") && members.has("stopReason") => Some("bedrock.converse"),
        () if members.has("finish_reason") && members.has("message") => Some("cohere.v2"),
        () => None,
    })
}

/// The format of a body that is several JSON objects, one a line, the last perhaps cut; `None` if it
/// is not such a body. It is named if it is another one than `own`.
pub fn json_lines(body: &[u8], own: &str) -> Option<&'static str> {
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
        let found = members.format("").filter(|found| is_foreign(found, own));
        Some(found.unwrap_or("JSON lines"))
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
    /// The format that the content of the first choice is of.
    of_choices: Option<&'static str>,
}

const TELLING: [&str; 13] = [
    "choices",
    "candidates",
    "done",
    "message",
    "response",
    "content",
    "stop",
    "token",
    "generated_text",
    "finish_reason",
    "output",
    "stopReason",
    "bytes",
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
                "choices" => format_of_choices(reader).map(|format| found.of_choices = format),
                _ => reader.skip(),
            }
        });
        if read.and_then(|()| reader.end()).is_err() {
            return Self::default();
        }
        found.is_object = !found.keys.is_empty();
        found
    }

    fn has(&self, name: &str) -> bool {
        std::iter::zip(TELLING, self.has).any(|(telling, has)| has && telling == name)
    }

    /// The format that these are a payload of.
    fn format(&self, event: &str) -> Option<&'static str> {
        let kind = self.kind.map(Raw::whole).unwrap_or_default();
        let object = self.object.map(Raw::whole).unwrap_or_default();
        let is_one_of = |names: &[&str]| {
            let mut names = names.iter();
            names.any(|name| *name == event || *name == kind.as_ref())
        };
        let has = |name: &str| self.has(name);
        let of_anthropic = [
            "message_start",
            "content_block_start",
            "content_block_delta",
        ];
        match () {
            () if has("choices") => match object.as_ref() {
                "text_completion" => Some("openai.completions"),
                "chat.completion" | "chat.completion.chunk" => Some("openai.chat"),
                _ => self.of_choices,
            },
            () if kind == "message" && has("content") => Some("anthropic.messages"),
            () if object == "response" => Some("openai.responses"),
            () if is_one_of(&of_anthropic) => Some("anthropic.messages"),
            () if event.starts_with("response.") || kind.starts_with("response.") => {
                Some("openai.responses")
            }
            () if is_one_of(&["message-start", "content-start", "content-delta"]) => {
                Some("cohere.v2")
            }
            () if has("candidates") => Some("gemini.generate"),
            () if has("done") && has("message") => Some("ollama.chat"),
            () if has("done") && has("response") => Some("ollama.generate"),
            () if has("content") && has("stop") => Some("llamacpp.completion"),
            () if has("token") && has("generated_text") => Some("tgi.generate"),
            () => None,
        }
    }

    /// The format that these are a message of, in an AWS event stream.
    fn format_of_message(&self, event: &str) -> Option<&'static str> {
        match event {
            "chunk" if self.has("bytes") => Some("bedrock.anthropic"),
            "messageStart" | "contentBlockStart" | "contentBlockDelta" => Some("bedrock.converse"),
            _ => None,
        }
    }
}

/// Reads `choices`: the format that the fields of the first object in it are of.
fn format_of_choices(reader: &mut Reader<'_>) -> Result<Option<&'static str>, InvalidJson> {
    let mut format = None;
    if reader.peek() != b'[' {
        reader.skip()?;
        return Ok(None);
    }
    reader.elements(|reader| {
        if format.is_some() || reader.peek() != b'{' {
            return reader.skip();
        }
        reader.members(|reader, name| {
            match name {
                "delta" | "message" => format = Some("openai.chat"),
                "text" => format = format.or(Some("openai.completions")),
                _ => {}
            }
            reader.skip()
        })
    })?;
    Ok(format)
}
