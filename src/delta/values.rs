//! Values of JSON that count only if they are of one kind.

use crate::json::{InvalidJson, Reader};

type Result<T> = std::result::Result<T, InvalidJson>;

/// Reads a value; if it is an object, member by member.
pub(super) fn object<'p>(
    reader: &mut Reader<'p>,
    member: impl FnMut(&mut Reader<'p>, &str) -> Result<()>,
) -> Result<()> {
    if reader.peek() == b'{' {
        reader.members(member)
    } else {
        reader.skip()
    }
}

/// Reads a value; if it is an object, member by member. Returns whether it is.
pub(super) fn members_of<'p>(
    reader: &mut Reader<'p>,
    member: impl FnMut(&mut Reader<'p>, &str) -> Result<()>,
) -> Result<bool> {
    let is_object = reader.peek() == b'{';
    object(reader, member)?;
    Ok(is_object)
}

/// Reads a value; returns its text if it is a string that is not empty.
pub(super) fn error_string<'p>(reader: &mut Reader<'p>) -> Result<Option<&'p str>> {
    let text = reader.value()?;
    Ok((text.len() > 2 && text.starts_with('"')).then_some(text))
}

/// Reads a value; if it is an array, those of its elements that `read` returns, each with its position.
pub(super) fn positioned<'p, T>(
    reader: &mut Reader<'p>,
    mut read: impl FnMut(&mut Reader<'p>) -> Result<Option<T>>,
) -> Result<Vec<(u32, T)>> {
    let (mut found, mut position) = (Vec::new(), 0);
    array(reader, |reader| {
        found.extend(read(reader)?.map(|element| (position, element)));
        position += 1;
        Ok(())
    })?;
    Ok(found)
}

/// Reads a value; if it is an array, element by element.
pub(super) fn array<'p>(
    reader: &mut Reader<'p>,
    element: impl FnMut(&mut Reader<'p>) -> Result<()>,
) -> Result<()> {
    if reader.peek() == b'[' {
        reader.elements(element)
    } else {
        reader.skip()
    }
}
