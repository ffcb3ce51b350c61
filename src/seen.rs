//! What a decoder has seen of its stream, for the message of a stream that ended without output.

use crate::delta::bedrock;
use crate::error::cut;
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

    /// Forgets the bytes behind the end of the stream; of an array without elements, its own are kept.
    pub fn end(&mut self, is_array: bool) {
        let end = memchr::memchr(b']', &self.head).filter(|_| is_array && self.frames == 0);
        self.head.truncate(end.map_or(0, |at| at + 1));
    }

    /// Looks at a frame: the first of all, or one that came before any choice; `own` is the decoder's format.
    /// Returns the format that it is a payload of; what is not an object is one of none.
    pub fn look(&mut self, sent: &Sent<'_>, own: &str) -> Option<&'static str> {
        let event = utf8::decode(sent.event);
        let payload = utf8::decode(sent.data);
        let members = Members::of(&payload);
        if self.frames == 1 {
            self.event = event.chars().take(MAX_NAME).collect();
            self.keys.clone_from(&members.keys);
        }
        let found = members.format(&event);
        if self.foreign.is_none() {
            self.foreign = found
                .filter(|found| is_foreign(found, own))
                .map(|found| Foreign {
                    found,
                    offset: sent.offset,
                    frame: cut(sent.data),
                });
        }
        found.filter(|_| members.is_read)
    }
}

/// Whether a payload of the format `found` says that a stream is not one of `own`: not if that is to be found.
fn is_foreign(found: &str, own: &str) -> bool {
    found != own && own != "auto"
}

/// The format of a body that is one document.
pub fn format_of_body(text: &str) -> Option<&'static str> {
    Members::of(text).format("")
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
    /// It is an object.
    is_read: bool,
    /// It is an object, and not an empty one.
    is_object: bool,
    keys: Vec<String>,
    kind: Option<Raw<'p>>,
    object: Option<Raw<'p>>,
    /// What the value of the last member begins with.
    last: u8,
    /// Which of [`TELLING`] are there, and by what each begins.
    has: [Option<u8>; TELLING.len()],
    has_output_message: bool,
    /// The format that the content of the first choice is of.
    of_choices: Option<&'static str>,
}

const TELLING: [&str; 13] = [
    "type",
    "choices",
    "candidates",
    "promptFeedback",
    "done",
    "message",
    "response",
    "content",
    "stop",
    "generated_text",
    "finish_reason",
    "output",
    "bytes",
];

/// The names of events, or types of payloads, that a format alone has.
const EVENTS: [(&str, &[&str]); 3] = [
    (
        "anthropic.messages",
        &[
            "message_start",
            "content_block_start",
            "content_block_delta",
        ],
    ),
    (
        "cohere.v2",
        &["message-start", "content-start", "content-delta"],
    ),
    ("bedrock.converse", &bedrock::EVENTS),
];

impl<'p> Members<'p> {
    /// Those of `text`; none if it is not a JSON object.
    fn of(text: &'p str) -> Self {
        let mut found = Self::default();
        let mut reader = Reader::new(text);
        if reader.peek() != b'{' {
            return found;
        }
        let read = reader.members(|reader, name| found.member(reader, name));
        if read.and_then(|()| reader.end()).is_err() {
            return Self::default();
        }
        found.is_read = true;
        found.is_object = !found.keys.is_empty();
        found
    }

    fn member(&mut self, reader: &mut Reader<'p>, name: &str) -> Result<(), InvalidJson> {
        self.last = reader.peek();
        let key: String = name.chars().take(MAX_NAME).collect();
        if self.keys.len() < MAX_KEYS && !self.keys.contains(&key) {
            self.keys.push(key);
        }
        if let Some(at) = TELLING.iter().position(|telling| *telling == name) {
            self.has[at] = Some(reader.peek());
        }
        match name {
            "type" => self.kind = reader.string_or_skip()?,
            "object" => self.object = reader.string_or_skip()?,
            "choices" => self.of_choices = format_of_choices(reader)?,
            "output" if reader.peek() == b'{' => reader.members(|reader, name| {
                if name == "message" {
                    self.has_output_message = reader.peek() == b'{';
                }
                reader.skip()
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    }

    /// What the member called `name` begins with, if it is there.
    fn first(&self, name: &str) -> Option<u8> {
        let at = TELLING.iter().position(|telling| *telling == name)?;
        self.has[at]
    }

    /// Whether these are an event of AWS's, as its SDKs hand it out; one called `metadata` may be anything's.
    fn is_enclosed(&self, event: &str) -> bool {
        let is_named = |key: &String| bedrock::EVENTS[..5].contains(&key.as_str());
        event.is_empty() && self.last == b'{' && matches!(&*self.keys, [key] if is_named(key))
    }

    /// The format that these are a payload of.
    fn format(&self, event: &str) -> Option<&'static str> {
        let kind = self.kind.map(Raw::whole).unwrap_or_default();
        let object = self.object.map(Raw::whole).unwrap_or_default();
        let has = |name: &str| self.first(name).is_some();
        let is_event = |at: usize| {
            let (_, names) = EVENTS[at];
            names.contains(&event) || (at < 2 && names.contains(&kind.as_ref()))
        };
        let is_response = |name: &str| name.starts_with("response.");
        match () {
            () if has("choices") => match object.as_ref() {
                _ if self.first("choices") != Some(b'[') => None,
                "text_completion" => Some("openai.completions"),
                object if object.starts_with("chat.completion") => Some("openai.chat"),
                _ => self.of_choices,
            },
            () if is_event(0) || (kind == "message" && has("content")) => {
                Some("anthropic.messages")
            }
            () if is_response(event) || is_response(&kind) || object == "response" => {
                Some("openai.responses")
            }
            () if is_event(1) => Some("cohere.v2"),
            () if self.first("message") == Some(b'{') && has("finish_reason") => Some("cohere.v2"),
            () if has("candidates") || self.first("promptFeedback") == Some(b'{') => {
                Some("gemini.generate")
            }
            () if has("done") && has("message") => Some("ollama.chat"),
            () if has("done") && has("response") => Some("ollama.generate"),
            () if has("content") && has("stop") => Some("llamacpp.completion"),
            () if has("generated_text") => Some("tgi.generate"),
            () if (is_event(2) && !has("type"))
                || self.has_output_message
                || self.is_enclosed(event) =>
            {
                Some("bedrock.converse")
            }
            () if event == "chunk" && self.first("bytes") == Some(b'"') => {
                Some("bedrock.anthropic")
            }
            () => None,
        }
    }
}

/// Reads `choices`: the format that the fields of the first object in it are of.
fn format_of_choices(reader: &mut Reader<'_>) -> Result<Option<&'static str>, InvalidJson> {
    if reader.peek() != b'[' {
        reader.skip()?;
        return Ok(None);
    }
    let (mut format, mut is_over) = (None, false);
    reader.elements(|reader| {
        if is_over || reader.peek() != b'{' {
            return reader.skip();
        }
        is_over = true;
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
