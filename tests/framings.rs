//! The framings beside server-sent events: what they cut a body into, at every split.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a case lacks fails its test"
)]

mod support;

use millstream::error::{Error, Unit};
use millstream::framing::aws_events::AwsEvents;
use millstream::framing::json_array::JsonArray;
use millstream::framing::json_lines::JsonLines;
use millstream::framing::{NextPart, Parts};
use support::formats::{crc32, message};
use support::reads::splits;

/// What a framing cut out of a body, in words: parts, the end, an error.
fn parts(parts: &mut impl Parts, pieces: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    for piece in pieces {
        let mut data = *piece;
        loop {
            match parts.next(&mut data) {
                NextPart::More => break,
                NextPart::Nothing => {}
                NextPart::Payload(sent) => found.push(format!(
                    "{} {}|{}",
                    sent.offset,
                    String::from_utf8_lossy(sent.event),
                    String::from_utf8_lossy(sent.data)
                )),
                NextPart::ProviderError { event, error, .. } => {
                    found.push(format!("{} {error}", String::from_utf8_lossy(event)));
                }
                NextPart::End => {
                    found.push("end".to_owned());
                    return found;
                }
                NextPart::Failed(error) => {
                    found.push(error.to_string());
                    return found;
                }
            }
        }
    }
    found
}

#[test]
fn a_line_ends_in_lf_alone_and_blank_ones_are_passed_over() {
    let body = b"{\"a\":1}\n\r\n \t\n{\"b\":\"\xE2\x80\xA8\"}\r\n\r{}\n[1,\r2]\n{";
    for pieces in splits(body) {
        let mut lines = JsonLines::new(100, 3);
        let found = parts(&mut lines, &pieces);
        let listed = [
            "3 |{\"a\":1}",
            "16 |{\"b\":\"\u{2028}\"}",
            "29 |\r{}",
            "33 |[1,\r2]",
        ];
        assert_eq!(found, listed);
        let last = lines.close().unwrap().unwrap();
        assert_eq!((last.data, last.offset), (&b"{"[..], 40));
    }
}

#[test]
fn a_line_is_measured_without_its_end() {
    for (body, is_too_long) in [
        (&b"12345\n"[..], false),
        (b"12345\r\n", false),
        (b"123456\n", true),
        (b"12345\r1\n", true),
        (b"123456", true),
    ] {
        for pieces in splits(body) {
            let mut lines = JsonLines::new(5, 0);
            let found = parts(&mut lines, &pieces).concat();
            assert_eq!(
                found.contains("past max_event_size=5"),
                is_too_long,
                "{body:?}"
            );
        }
    }
    let mut lines = JsonLines::new(5, 0);
    let mut data: &[u8] = b"12345\r";
    assert_eq!(lines.next(&mut data), NextPart::More);
    let Err(Error::EventTooLarge { frame, .. }) = lines.close() else {
        panic!("a CR at the end is no part of an end");
    };
    assert_eq!(frame, b"12345\r");
}

#[test]
fn an_element_comes_with_the_byte_that_completes_it() {
    let body = b"[{\"a\":\"]}\\\"[\"} ,\r\n[[1],{}],\"x ]\" 12,null,,-1]{\"behind\":1}";
    for pieces in splits(body) {
        let found = parts(&mut JsonArray::new(100, 7), &pieces);
        let listed = [
            "8 |{\"a\":\"]}\\\"[\"}",
            "25 |[[1],{}]",
            "34 |\"x ]\"",
            "40 |12",
            "43 |null",
            "49 |-1",
            "end",
        ];
        assert_eq!(found, listed);
    }
    let mut array = JsonArray::new(100, 0);
    let mut data: &[u8] = b"[{}";
    assert!(matches!(array.next(&mut data), NextPart::Payload(_)));
}

#[test]
fn an_element_is_measured_alone() {
    for pieces in splits(b"[{\"a\":1},{\"ab\":1}]") {
        let found = parts(&mut JsonArray::new(7, 0), &pieces);
        assert_eq!(found[0], "1 |{\"a\":1}");
        assert_eq!(found[1], "an event grew past max_event_size=7 bytes");
        assert_eq!(found.len(), 2);
    }
}

#[test]
fn messages_are_checked_and_read() {
    let body = [message("one", "{}"), message("two", ""), message("", "[1]")].concat();
    for pieces in splits(&body) {
        let found = parts(&mut AwsEvents::new(1000, 0), &pieces);
        assert_eq!(found, ["0 one|{}", "58 two|", "114 |[1]"]);
    }
}

/// A message whose lengths are these, with a right checksum of its prelude.
fn prelude(total: u32, headers: u32) -> Vec<u8> {
    let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    bytes.extend(crc32(&bytes).to_be_bytes());
    bytes
}

#[test]
fn a_message_that_is_not_valid_stops_the_reader() {
    let good = message("one", "{}");
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let end = good.len() - 1;
    for (bytes, reason) in [
        (changed(0), "the checksum of its prelude is wrong"),
        (changed(9), "the checksum of its prelude is wrong"),
        (changed(20), "its checksum is wrong"),
        (changed(end), "its checksum is wrong"),
        (prelude(15, 0), "its length is 15"),
        (prelude(20, 5), "its length is 20"),
    ] {
        let body = [good.clone(), bytes].concat();
        for pieces in splits(&body) {
            let found = parts(&mut AwsEvents::new(1000, 0), &pieces);
            let error = format!("the message at byte {} is not valid: {reason}", good.len());
            assert_eq!(found, ["0 one|{}".to_owned(), error]);
        }
    }
    for pieces in splits(&prelude(1001, 0)) {
        let found = parts(&mut AwsEvents::new(1000, 0), &pieces);
        assert_eq!(found, ["an event grew past max_event_size=1000 bytes"]);
    }
}

#[test]
fn a_part_says_which_it_is() {
    let mut data: &[u8] = b"{}\n";
    let mut lines = JsonLines::new(10, 0);
    let NextPart::Payload(line) = lines.next(&mut data) else {
        panic!("a line is whole");
    };
    assert_eq!(line.unit, Unit::Line);
}
