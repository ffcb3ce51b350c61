//! A stream whose format is not known yet: errors alone are read.

use super::family::{Family, Source};
use super::message::object;
use super::payload::Payload;
use super::provider_error::ErrorMembers;
use crate::json::{InvalidJson, Reader};

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
        let mut errors = ErrorMembers::default();
        object(reader, |reader, name| {
            if errors.member(reader, name)? {
                return Ok(());
            }
            reader.skip()
        })?;
        reader.end()?;
        let error = errors.error(payload, reader.text(), false);
        payload.error = error.map(Into::into);
        Ok(())
    }
}
