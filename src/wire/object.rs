//! JSON objects, member by member, and the records that they are the data of.

use crate::json::write_string;

/// An object that is being written; [`Self::end`] closes it.
#[derive(Debug)]
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    /// Opens an object.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_empty: true,
        }
    }

    /// Goes on with an object that was left open for a member.
    pub fn go_on(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            is_empty: true,
        }
    }

    /// A member that is a string.
    pub fn string(mut self, name: &str, value: &str) -> Self {
        write_string(self.member(name), value);
        self
    }

    /// A member that is a string, if there is one.
    pub fn some_string(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.string(name, value),
            None => self,
        }
    }

    /// A member that is a number.
    pub fn number(mut self, name: &str, value: u64) -> Self {
        write_number(self.member(name), value);
        self
    }

    /// A member that is a number, if there is one.
    pub fn some_number(self, name: &str, value: Option<u64>) -> Self {
        match value {
            Some(value) => self.number(name, value),
            None => self,
        }
    }

    /// A member that is JSON already.
    pub fn json(mut self, name: &str, value: &[u8]) -> Self {
        self.member(name).extend_from_slice(value);
        self
    }

    /// A member that is an object, which `members` fills.
    pub fn object(mut self, name: &str, members: impl FnOnce(Object<'_>) -> Object<'_>) -> Self {
        members(Object::new(self.member(name))).end();
        self
    }

    /// A member that is an array of JSON values.
    pub fn list(self, name: &str, values: impl IntoIterator<Item: AsRef<[u8]>>) -> Self {
        self.array(name, |array| values.into_iter().fold(array, Array::json))
    }

    /// A member that is an array, which `elements` fills.
    pub fn array(mut self, name: &str, elements: impl FnOnce(Array<'_>) -> Array<'_>) -> Self {
        elements(Array::new(self.member(name))).end();
        self
    }

    /// A member whose value `write` appends.
    pub fn value(mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        write(self.member(name));
        self
    }

    /// Leaves the object open for a member.
    pub fn more(self) {
        self.out.push(b',');
    }

    /// Closes the object, and returns what stands behind it.
    pub fn end(self) -> &'a mut Vec<u8> {
        self.out.push(b'}');
        self.out
    }

    fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.push(b',');
        }
        // The names are constants of the wires, which need no escapes.
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }
}

/// An array that is being written; [`Self::end`] closes it.
#[derive(Debug)]
pub struct Array<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Array<'a> {
    /// Opens an array.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'[');
        Self {
            out,
            is_empty: true,
        }
    }

    /// An element that is an object, which `members` fills.
    pub fn object(mut self, members: impl FnOnce(Object<'_>) -> Object<'_>) -> Self {
        members(Object::new(self.element())).end();
        self
    }

    /// An element that is JSON already.
    pub fn json(mut self, value: impl AsRef<[u8]>) -> Self {
        self.element().extend_from_slice(value.as_ref());
        self
    }

    /// Closes the array, and returns what stands behind it.
    pub fn end(self) -> &'a mut Vec<u8> {
        self.out.push(b']');
        self.out
    }

    fn element(&mut self) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.push(b',');
        }
        self.out
    }
}

/// Appends `number` in digits.
pub fn write_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        if let (Some(digit), Some(value)) =
            (digits.get_mut(at), b"0123456789".get((rest % 10) as usize))
        {
            *digit = *value;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// Appends a server-sent event whose data are an object, which `members` fills.
pub fn write_event(out: &mut Vec<u8>, members: impl FnOnce(Object<'_>) -> Object<'_>) {
    out.extend_from_slice(b"data: ");
    members(Object::new(out)).end().extend_from_slice(b"\n\n");
}

/// `text`, if it is not empty.
pub fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
