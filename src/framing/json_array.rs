//! One JSON array: a payload an element.

use memchr::memchr2;

use super::carry::Carry;
use super::{NextPart, Parts, Sent, Tail};
use crate::error::{Error, Unit, cut};

/// Cuts an array into its elements, each with the byte that completes it.
///
/// Brackets are counted, whatever their kind: an element is read afterwards, and refused if it is not valid JSON.
///
/// ```
/// use millstream::framing::json_array::JsonArray;
/// use millstream::framing::{NextPart, Parts};
///
/// let mut array = JsonArray::new(100, 0);
/// let mut data: &[u8] = b"[{\"a\":\"]\"}";
/// let NextPart::Payload(element) = array.next(&mut data) else { panic!() };
/// assert_eq!((element.data, element.offset), (&b"{\"a\":\"]\"}"[..], 1));
/// ```
#[derive(Debug)]
pub struct JsonArray {
    place: Place,
    /// The start of an element whose end has not arrived.
    carry: Carry,
    /// The stream's offset of the next byte.
    offset: u64,
    max_size: usize,
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the array.
    Before,
    /// Between elements.
    Between,
    /// In an element that is a number or a word.
    Scalar,
    /// In an element, so many brackets deep.
    Element { depth: usize },
    /// In a string of an element, and whether behind a backslash.
    String { depth: usize, is_escaped: bool },
    /// Behind the array.
    Behind,
}

impl JsonArray {
    /// An array, with elements of at most `max_size` bytes, that starts at `offset` in the stream.
    pub fn new(max_size: usize, offset: u64) -> Self {
        Self {
            place: Place::Before,
            carry: Carry::default(),
            offset,
            max_size,
        }
    }

    /// Passes over what stands before the next element, if one does not go on.
    fn pass_between(&mut self, data: &mut &[u8]) {
        while let (Place::Before | Place::Between, [byte, rest @ ..]) = (self.place, *data) {
            self.place = match (self.place, byte) {
                (Place::Before, _) | (_, b',' | b' ' | b'\t' | b'\r' | b'\n') => Place::Between,
                (_, b']') => Place::Behind,
                (_, b'"' | b'{' | b'[') => Place::Element { depth: 0 },
                _ => Place::Scalar,
            };
            if matches!(self.place, Place::Element { .. } | Place::Scalar) {
                return;
            }
            *data = rest;
            self.offset += 1;
        }
    }

    /// How many bytes of `data` belong to the element that goes on, if it ends in them.
    fn end(&mut self, data: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = data.get(at) {
            match self.place {
                Place::Element { depth } => {
                    at += 1;
                    let depth = match byte {
                        b'"' => {
                            self.place = Place::String {
                                depth,
                                is_escaped: false,
                            };
                            continue;
                        }
                        b'{' | b'[' => depth + 1,
                        b'}' | b']' if depth == 1 => return Some(at),
                        b'}' | b']' => depth - 1,
                        _ => depth,
                    };
                    self.place = Place::Element { depth };
                }
                Place::String { depth, is_escaped } => {
                    let rest = &data[at..];
                    let special = if is_escaped {
                        None
                    } else {
                        at += memchr2(b'"', b'\\', rest)?;
                        data.get(at)
                    };
                    at += 1;
                    self.place = match special {
                        Some(b'"') if depth == 0 => return Some(at),
                        Some(b'"') => Place::Element { depth },
                        special => Place::String {
                            depth,
                            is_escaped: special.is_some(),
                        },
                    };
                }
                _ => {
                    let is_end =
                        |byte: &u8| matches!(byte, b',' | b']' | b' ' | b'\t' | b'\r' | b'\n');
                    return data.iter().position(is_end);
                }
            }
        }
        None
    }

    /// The error for an element that starts with the carry and `more`.
    fn too_large<'a>(&self, more: &[u8]) -> NextPart<'a> {
        let room = self.max_size + 1 - self.carry.len();
        let start = [&self.carry[..], &more[..more.len().min(room)]].concat();
        NextPart::Failed(Error::EventTooLarge {
            limit: self.max_size,
            offset: self.offset - self.carry.len() as u64,
            frame: cut(&start),
        })
    }
}

impl Parts for JsonArray {
    const TAIL: Tail = Tail::Any;

    fn at_start(&self) -> bool {
        self.place == Place::Between
    }

    fn skip(&mut self, length: usize) {
        self.carry.forget_read();
        self.offset += length as u64;
    }

    fn next<'s, 'd: 's>(&'s mut self, data: &mut &'d [u8]) -> NextPart<'s> {
        self.carry.forget_read();
        self.pass_between(data);
        match self.place {
            Place::Behind => return NextPart::End,
            _ if data.is_empty() => return NextPart::More,
            _ => {}
        }
        let end = self.end(data);
        let (element, rest) = data.split_at(end.unwrap_or(data.len()));
        if self.carry.len() + element.len() > self.max_size {
            return self.too_large(element);
        }
        *data = rest;
        let offset = self.offset - self.carry.len() as u64;
        self.offset += element.len() as u64;
        if !self.carry.is_empty() || end.is_none() {
            self.carry.extend_from_slice(element);
        }
        if end.is_none() {
            return NextPart::More;
        }
        self.place = Place::Between;
        self.carry.is_read = !self.carry.is_empty();
        NextPart::Payload(Sent {
            unit: Unit::Element,
            event: b"",
            data: if self.carry.is_read {
                &self.carry
            } else {
                element
            },
            offset,
            head: b"",
        })
    }
}
