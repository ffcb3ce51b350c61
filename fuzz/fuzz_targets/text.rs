//! `TextAssembler`: any split gives what the standard library reads, no later than it is certain.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream::error::Error;
use millstream::text::TextAssembler;
use millstream::utf8::Errors;
use millstream_fuzz::Input;

/// Reads UTF-8; returns the text and the error that stopped it.
fn read_bytes(pieces: &[&[u8]], errors: Errors) -> (String, Option<Error>) {
    let mut assembler = TextAssembler::new(errors);
    let (mut text, mut fed) = (String::new(), 0);
    for piece in pieces {
        let (more, error) = assembler.feed_bytes(piece);
        text += &more;
        fed += piece.len();
        if error.is_some() {
            return (text, error);
        }
        // No more than three bytes may wait; under `ignore` it can't be seen.
        assert!(errors == Errors::Ignore || text.len() + 3 >= fed);
    }
    let (more, error) = assembler.close();
    (text + &more, error)
}

/// Reads UTF-16 code units.
fn read_units(units: &[u16], size: usize) -> (String, Option<Error>) {
    let mut assembler = TextAssembler::new(Errors::Replace);
    let mut text = String::new();
    for piece in units.chunks(size) {
        let (more, error) = assembler.feed_codes(piece.iter().map(|unit| u32::from(*unit)));
        assert_eq!(error, None);
        text += &more;
    }
    let (more, error) = assembler.close();
    (text + &more, error)
}

fn strictly(body: &[u8]) -> (String, Option<Error>) {
    let mut text = String::new();
    if let Some(chunk) = body.utf8_chunks().next() {
        text += chunk.valid();
        if !chunk.invalid().is_empty() {
            let (offset, frame) = (text.len() as u64, chunk.invalid().to_vec());
            return (text, Some(Error::InvalidUtf8 { offset, frame }));
        }
    }
    (text, None)
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else {
        return;
    };
    let replaced = String::from_utf8_lossy(input.body).into_owned();
    let kept: String = input
        .body
        .utf8_chunks()
        .map(|chunk| chunk.valid())
        .collect();
    for pieces in [vec![input.body], input.bytes(), input.pieces()] {
        assert_eq!(
            read_bytes(&pieces, Errors::Replace),
            (replaced.clone(), None)
        );
        assert_eq!(read_bytes(&pieces, Errors::Ignore), (kept.clone(), None));
        assert_eq!(read_bytes(&pieces, Errors::Strict), strictly(input.body));
    }
    // Of a pair of bytes, the first decides whether the unit is half of a surrogate pair.
    let units: Vec<u16> = input
        .body
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    let expected = (String::from_utf16_lossy(&units), None);
    for size in [1, 3, units.len().max(1)] {
        assert_eq!(read_units(&units, size), expected);
    }
});
