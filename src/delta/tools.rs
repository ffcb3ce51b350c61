//! The tool calls of a choice: which of them an entry of `tool_calls` belongs to.
//!
//! Servers identify calls by an index, by an id, by both or by neither, and repeat fields already sent.
//! The decoder settles which call is meant, so that the code after it need not:
//!
//! > An entry belongs to the call of its id, if that is known and no index is given; else to the newest
//! > call begun under its index; else, without an index, to the call added to last.
//! >
//! > It begins a new call if (a) its index is new; (b) it has no index and a new id; (c) it has a name
//! > and an id other than the one the call has; (d) it has another name and at least one character of
//! > arguments has come; (e) it has a name and arguments that are not blank, does not repeat the call's
//! > id, and the call's arguments are whole (a complete JSON document, or they came as an object or
//! > array). In a whole message each entry is a call.
//! >
//! > The index handed out is the wire's if it is free, else the highest so far plus 1; that wire index
//! > then means the newest call. An equal id, or a name equal to the call's whole name, is not handed
//! > out again; another id without a name is passed over; other name pieces are handed out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::message::{Arguments, ToolCall, append, some, whole_piece};
use super::sink::{Text, ToolCallDelta};
use crate::error::Limit;
use crate::json::{JsonAssembler, Raw};

/// The tool calls of one choice.
#[derive(Debug, Default)]
pub(super) struct Tools {
    calls: Vec<Call>,
    by_id: HashMap<Arc<str>, usize>,
    /// The newest call begun under each index.
    by_index: BTreeMap<u32, usize>,
    taken: BTreeSet<u32>,
    last: Option<usize>,
}

/// One call.
#[derive(Debug)]
struct Call {
    /// The index it is handed out with.
    index: u32,
    id: Option<Arc<str>>,
    name: String,
    arguments: Progress,
}

/// How much of the arguments of a call has arrived; the text is not kept.
#[derive(Debug, Default)]
enum Progress {
    /// Nothing has come.
    #[default]
    None,
    /// The beginning of a document, or all of it.
    Json(Box<JsonAssembler>),
    /// The arguments are not valid JSON.
    InvalidJson,
    /// An object or array, which is whole.
    Whole,
}

/// The output of an entry.
#[derive(Debug)]
pub(super) struct Entry<'p> {
    pub index: u32,
    pub id: Option<Text<'p>>,
    pub name: Option<Text<'p>>,
    pub arguments: Option<Arguments<'p>>,
    /// The text of the arguments, read for themselves; empty where they are absent.
    pub text: Text<'p>,
}

/// The fields of an entry.
struct WireEntry<'p> {
    index: Option<u32>,
    id: Option<Text<'p>>,
    name: Option<Text<'p>>,
    arguments: Option<Arguments<'p>>,
    text: Text<'p>,
}

/// The halves of surrogate pairs that arguments of tool calls wait with, by index.
#[derive(Debug, Default)]
pub(super) struct HeldArguments(BTreeMap<u32, u16>);

impl Tools {
    /// The part of `entry` to hand out, under the index of the call it belongs to; `is_whole` says
    /// that it stands in a whole message.
    pub fn settle<'p>(&mut self, entry: &ToolCall<'p>, is_whole: bool) -> Result<Entry<'p>, Limit> {
        let entry = WireEntry::new(entry);
        let found = if is_whole { None } else { self.find(&entry) };
        let found = found.filter(|at| !self.calls[*at].is_followed_by(&entry));
        let at = match found {
            Some(at) => at,
            None => self.begin(entry.index)?,
        };
        self.last = Some(at);
        let call = &mut self.calls[at];
        let added = call.add(entry)?;
        if let (Some(_), Some(id)) = (&added.id, &call.id) {
            self.by_id.insert(Arc::clone(id), at);
        }
        Ok(added)
    }

    /// The entry to hand out for a piece of arguments that comes with nothing else but the index
    /// of its call; `None` if none has begun under it.
    pub fn settle_piece<'p>(&mut self, index: u32, piece: Raw<'p>) -> Option<Entry<'p>> {
        let at = *self.by_index.get(&index)?;
        self.last = Some(at);
        let call = self.calls.get_mut(at)?;
        Some(call.add_arguments(Some(Arguments::Text(piece)), piece.whole()))
    }

    /// The call that `entry` seems to belong to; if there is none, it begins one.
    fn find(&self, entry: &WireEntry<'_>) -> Option<usize> {
        match (entry.index, &entry.id) {
            (Some(index), _) => self.by_index.get(&index).copied(),
            (None, Some(id)) => self.by_id.get(&**id).copied(),
            (None, None) => self.last,
        }
    }

    fn begin(&mut self, wire_index: Option<u32>) -> Result<usize, Limit> {
        if self.calls.len() == Limit::ToolCalls.most() {
            return Err(Limit::ToolCalls);
        }
        let free = wire_index.filter(|index| !self.taken.contains(index));
        let index = free.unwrap_or_else(|| self.next_index());
        self.taken.insert(index);
        let at = self.calls.len();
        self.calls.push(Call {
            index,
            id: None,
            name: String::new(),
            arguments: Progress::None,
        });
        self.by_index.insert(wire_index.unwrap_or(index), at);
        Ok(at)
    }

    /// The highest index so far plus 1; if that does not fit, the lowest that is free.
    fn next_index(&self) -> u32 {
        let next = match self.taken.last() {
            None => Some(0),
            Some(highest) => highest.checked_add(1),
        };
        let is_free = |index: &u32| !self.taken.contains(index);
        next.or_else(|| (0..u32::MAX).find(is_free)).unwrap_or(0)
    }
}

impl Call {
    /// Whether `entry`, which looks as if it belonged to this call, begins the next one.
    fn is_followed_by(&self, entry: &WireEntry<'_>) -> bool {
        let Some(name) = &entry.name else {
            return false;
        };
        if let (Some(mine), Some(its)) = (self.id.as_deref(), entry.id.as_deref())
            && mine != its
        {
            return true;
        }
        if *name != self.name && self.arguments.have_begun() {
            return true;
        }
        let repeats_id = entry.id.is_some() && entry.id.as_deref() == self.id.as_deref();
        !is_blank(&entry.text) && !repeats_id && self.arguments.are_whole()
    }

    /// Adds `entry` to the call; returns the part of it to hand out.
    fn add<'p>(&mut self, entry: WireEntry<'p>) -> Result<Entry<'p>, Limit> {
        let id = entry.id.filter(|_| self.id.is_none());
        if let Some(id) = &id {
            check_size(id.len())?;
            self.id = Some(Arc::from(&**id));
        }
        let name = entry.name.filter(|name| *name != self.name);
        if let Some(name) = &name {
            check_size(self.name.len() + name.len())?;
            self.name.push_str(name);
        }
        Ok(Entry {
            id,
            name,
            ..self.add_arguments(entry.arguments, entry.text)
        })
    }

    /// Adds arguments, whose text is `text`, to the call; returns the entry to hand out.
    fn add_arguments<'p>(&mut self, arguments: Option<Arguments<'p>>, text: Text<'p>) -> Entry<'p> {
        if let Some(Arguments::Json(_)) = arguments {
            self.arguments = Progress::Whole;
        } else if !text.is_empty() {
            self.arguments.add(&text);
        }
        Entry {
            index: self.index,
            id: None,
            name: None,
            arguments,
            text,
        }
    }
}

impl HeldArguments {
    /// The delta of an entry; `None` if there is nothing in it.
    pub fn take<'p>(&mut self, entry: Entry<'p>, joins: bool) -> Option<ToolCallDelta<'p>> {
        let index = entry.index;
        let is_there = entry.arguments.is_some();
        let args = is_there.then(|| self.next(index, entry.arguments, entry.text, joins));
        let is_empty = entry.id.is_none() && entry.name.is_none() && args.is_none();
        (!is_empty).then_some(ToolCallDelta {
            index,
            id: entry.id,
            name: entry.name,
            args,
        })
    }

    /// The next piece of the arguments of the call `index`; `text` is theirs if no half of a surrogate
    /// pair is in it and none waits.
    fn next<'p>(
        &mut self,
        index: u32,
        arguments: Option<Arguments<'p>>,
        text: Text<'p>,
        joins: bool,
    ) -> Text<'p> {
        let mut held = self.0.remove(&index);
        match arguments {
            Some(Arguments::Text(raw)) if held.is_some() || text.contains('\u{FFFD}') => {
                let text = whole_piece(&mut held, raw, joins);
                self.0.extend(held.map(|held| (index, held)));
                text
            }
            Some(Arguments::Json(_)) if held.is_some() => Cow::Owned(format!("\u{FFFD}{text}")),
            _ => text,
        }
    }

    /// Adds U+FFFD for every half that waits to the last piece of its call, or as a piece.
    pub fn flush(&mut self, calls: &mut Vec<ToolCallDelta<'_>>) {
        if self.0.is_empty() {
            return;
        }
        let last = calls.iter().enumerate().map(|(at, call)| (call.index, at));
        let last: HashMap<u32, usize> = last.collect();
        for index in std::mem::take(&mut self.0).into_keys() {
            let half = Cow::Borrowed("\u{FFFD}");
            match last.get(&index).and_then(|at| calls.get_mut(*at)) {
                Some(call) => append(&mut call.args, half),
                None => calls.push(ToolCallDelta {
                    index,
                    args: Some(half),
                    ..ToolCallDelta::default()
                }),
            }
        }
    }
}

impl Progress {
    fn have_begun(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether they are a complete JSON document so far, or came as an object or array.
    fn are_whole(&self) -> bool {
        match self {
            Self::None | Self::InvalidJson => false,
            Self::Json(reader) => reader.could_end(),
            Self::Whole => true,
        }
    }

    /// Reads on in arguments that arrive as text.
    fn add(&mut self, text: &str) {
        if let Self::None = self {
            *self = Self::Json(Box::new(JsonAssembler::new(true)));
        }
        if let Self::Json(reader) = self {
            let error = reader.feed(text);
            reader.forget();
            if error.is_some() {
                *self = Self::InvalidJson;
            }
        }
    }
}

impl<'p> WireEntry<'p> {
    fn new(entry: &ToolCall<'p>) -> Self {
        let arguments = entry.function.arguments;
        Self {
            index: entry.index,
            id: some(entry.id).map(Raw::whole).filter(|id| id != "null"),
            name: some(entry.function.name).map(Raw::whole),
            arguments,
            text: arguments.map_or(Cow::Borrowed(""), Arguments::whole),
        }
    }
}

fn is_blank(text: &str) -> bool {
    let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    text.bytes().all(is_space)
}

fn check_size(size: usize) -> Result<(), Limit> {
    if size > Limit::ToolCallSize.most() {
        Err(Limit::ToolCallSize)
    } else {
        Ok(())
    }
}
