//! A stream whose format is not known yet: errors alone are read.

use super::family::{Family, Source};
use super::message::object;
use super::payload::Payload;
use super::provider_error::ErrorMembers;
use crate::json::{InvalidJson, Raw, Reader};

/// A stream that no payload has identified.
#[derive(Debug, Default)]
pub struct Unidentified;

impl Family for Unidentified {
    fn read<'p>(
        &mut self,
        reader: &mut Reader<'p>,
        _: Source<'_>,
        payload: &mut Payload<'p>,
    ) -> Result<(), InvalidJson> {
        let (mut errors, mut kind) = (ErrorMembers::default(), None::<Raw<'_>>);
        object(reader, |reader, name| {
            match name {
                "type" => kind = reader.string_or_skip()?,
                _ if errors.member(reader, name)? => {}
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        let is_error = kind.is_some_and(|kind| kind.whole() == "error");
        payload.error = errors.error(reader.text(), false, is_error);
        Ok(())
    }
}
