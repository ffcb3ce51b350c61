//! `http` on generated responses: every split alike, no panic, and what `ureq-proto` reads.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be there fails its test"
)]

mod support;

use millstream::http::Limits;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use support::http::{How, Response, read};
use support::reads::cut_at;
use support::responses::response;
use support::vectors::{bytes_of, load, name_of};
use ureq_proto::client::{Call, RecvResponseResult, SendRequestResult, state::RecvResponse};
use ureq_proto::{Error, http};

/// A response as `ureq-proto` saw it.
#[derive(Debug, PartialEq)]
struct Theirs {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    is_reusable: bool,
}

/// A call whose request was sent.
fn sent(is_head: bool) -> Call<RecvResponse> {
    let method = if is_head { "HEAD" } else { "GET" };
    let request = http::Request::builder().method(method).uri("http://h/");
    let mut call = Call::new(request.body(()).unwrap()).unwrap().proceed();
    call.write(&mut [0; 1024]).unwrap();
    match call.proceed() {
        Ok(Some(SendRequestResult::RecvResponse(call))) => call,
        _ => panic!("a request without a body was sent"),
    }
}

/// Reads `data` behind a request; `Ok(None)` if the response never ends.
fn theirs(is_head: bool, mut data: &[u8]) -> Result<Option<Theirs>, Error> {
    let mut call = sent(is_head);
    let head = loop {
        let (used, head) = call.try_response(data, false)?;
        data = &data[used..];
        match head {
            Some(head) => break head,
            None if used == 0 => return Ok(None),
            None => {}
        }
    };
    let mut body = Vec::new();
    let is_over = match call.proceed() {
        Some(RecvResponseResult::RecvBody(mut call)) => {
            let mut room = vec![0; data.len()];
            loop {
                let (used, size) = call.read(data, &mut room)?;
                data = &data[used..];
                body.extend_from_slice(&room[..size]);
                if used == 0 {
                    break;
                }
            }
            call.can_proceed()
        }
        Some(_) => true,
        None => false,
    };
    let headers = head.headers().iter();
    Ok(is_over.then(|| Theirs {
        status: head.status().as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect(),
        body,
        is_reusable: data.is_empty(),
    }))
}

const LENGTH_0: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Behind the head of a response in chunks.
fn chunked(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

/// Behind a status line.
fn with(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n")
}

/// How a failure begins, why `ureq-proto` takes what meets it, and an example.
type Reason = (&'static str, &'static str, String);

/// Why we refuse what `ureq-proto` takes: heads.
fn stricter_heads() -> [Reason; 7] {
    let in_10 = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = format!("a: {}\r\nContent-Length: 0", "b".repeat(65_536));
    let coding = "Transfer-Encoding: chunked\r\n\r\n0";
    [
        (
            "the server does not speak",
            "it skips blank lines",
            format!("\r\n{LENGTH_0}"),
        ),
        (
            "the server switched",
            "its caller decides",
            "HTTP/1.1 101 X\r\n\r\n".into(),
        ),
        (
            "the response has an invalid or",
            "it compares numbers",
            with("Content-Length: 0, 00"),
        ),
        (
            "the response has a transfer-",
            "any list may hold it",
            with(&coding.replace("chunked", "chunked, x")),
        ),
        (
            "the response has both",
            "the coding wins",
            with(&format!("Content-Length: 5\r\n{coding}")),
        ),
        (
            "the response is HTTP/1.0 and",
            "the coding is ignored",
            in_10.into(),
        ),
        ("the response head grew", "it has no limit", with(&long)),
    ]
}

/// Why we refuse what `ureq-proto` takes: chunks and trailers.
fn stricter_bodies() -> [Reason; 6] {
    let size = |size: &str| chunked(&format!("{size}\r\na\r\n0\r\n\r\n"));
    let trailers = |lines: &str| chunked(&format!("0\r\n{lines}\r\n\r\n"));
    let long = format!("a: {}", "b".repeat(16_384));
    let many = ["a: b"; 129].join("\r\n");
    [
        (
            "the line with a chunk's size holds",
            "a sign is a digit",
            size("+1"),
        ),
        (
            "the line with a chunk's size holds",
            "extensions are anything",
            size("1;\n"),
        ),
        (
            "a chunk's size has more than 16",
            "it takes 20 digits",
            size("00000000000000001"),
        ),
        (
            "the response has an invalid trailer",
            "it reads none",
            trailers("x"),
        ),
        (
            "the response has more than 128 trailers",
            "it counts none",
            trailers(&many),
        ),
        (
            "the trailers of the response grew",
            "it has no limit",
            trailers(&long),
        ),
    ]
}

/// All of them: nothing else that `ureq-proto` takes may be refused.
fn stricter() -> Vec<Reason> {
    stricter_heads()
        .into_iter()
        .chain(stricter_bodies())
        .collect()
}

/// Why we take what `ureq-proto` refuses: lines of sizes may be longer than 20 bytes, interim heads
/// may have headers, and headers may be folded.
fn is_laxer(error: &Error, data: &[u8]) -> bool {
    let is_fold = |pair: &[u8]| pair[0] == b'\n' && matches!(pair[1], b' ' | b'\t');
    match error {
        Error::ChunkExpectedCrLf | Error::HeadersWith100 => true,
        Error::HttpParseFail(_) => data.windows(2).any(is_fold),
        _ => false,
    }
}

#[test]
fn where_we_are_stricter_a_reason_says_why() {
    for (start, reason, data) in stricter() {
        let mine = read(Limits::default(), false, How::InTurn, &[data.as_bytes()]);
        let failure = mine.failure.unwrap_or_default();
        assert!(failure.starts_with(start), "{reason}: {failure}");
        let other = theirs(false, data.as_bytes());
        assert!(matches!(other, Ok(Some(_))), "{reason}: {other:?}");
    }
}

#[test]
fn where_we_take_more_a_reason_says_why() {
    let interim = format!("HTTP/1.1 100 Continue\r\nA: b\r\n\r\n{LENGTH_0}");
    let extension = chunked("1;extensions=may be long\r\na\r\n0\r\n\r\n");
    for data in [interim, extension, with("A: b\r\n c\r\nContent-Length: 0")] {
        let mine = read(Limits::default(), false, How::InTurn, &[data.as_bytes()]);
        assert_eq!(mine.failure, None);
        let error = theirs(false, data.as_bytes()).unwrap_err();
        assert!(is_laxer(&error, data.as_bytes()));
    }
}

fn compare(
    mine: &Response,
    other: &Result<Option<Theirs>, Error>,
    data: &[u8],
) -> Result<(), TestCaseError> {
    match (&mine.failure, other) {
        (Some(_), Err(_) | Ok(None)) => {}
        (Some(failure), Ok(Some(_))) => {
            let known = stricter();
            let is_known = known.iter().any(|(start, ..)| failure.starts_with(start));
            prop_assert!(is_known, "{failure}: {other:?}");
        }
        (None, Ok(None)) => prop_assert!(false, "{mine:?}: it waits for more"),
        (None, Err(error)) => prop_assert!(is_laxer(error, data), "{error:?}: {mine:?}"),
        (None, Ok(Some(other))) => {
            let head = mine.head.as_ref().unwrap();
            prop_assert_eq!(head.status, other.status);
            let mut headers: Vec<_> = head.headers.clone();
            let text = |value: &[u8]| match std::str::from_utf8(value) {
                Ok(text) => text.to_owned(),
                Err(_) => value.iter().copied().map(char::from).collect(),
            };
            let listed = other.headers.iter();
            let mut listed: Vec<_> = listed
                .map(|(name, value)| (name.clone(), text(value)))
                .collect();
            // Its map keeps no order among names.
            headers.sort();
            listed.sort();
            prop_assert_eq!(headers, listed);
            prop_assert_eq!(&mine.body, &other.body);
            prop_assert!(!mine.is_reusable || other.is_reusable);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(support::documents::random_cases())]

    #[test]
    fn splits_never_matter(
        data in prop_oneof![6 => response(), 1 => vec(any::<u8>(), 0..100)],
        positions in vec(any::<Index>(), 0..8), is_head: bool,
        head_size in prop_oneof![3 => Just(65_536), 1 => 0..150_usize],
        trailer_size in prop_oneof![3 => Just(16_384), 1 => 0..20_usize],
        header_count in prop_oneof![3 => Just(128), 1 => 0..4_usize],
    ) {
        let limits = Limits { head_size, header_count, trailer_size };
        let bytes: Vec<&[u8]> = data.chunks(1).collect();
        let expected = read(limits, is_head, How::InTurn, &bytes);
        for pieces in [vec![&data[..]], cut_at(&data, &positions)] {
            for how in [How::InTurn, How::Fed] {
                let got = read(limits, is_head, how, &pieces);
                prop_assert_eq!(got, expected.expected_for(&pieces));
            }
        }
    }

    #[test]
    fn what_ureq_reads_is_read_alike(data in response(), is_head in prop_oneof![4 => Just(false), 1 => Just(true)]) {
        let mine = read(Limits::default(), is_head, How::InTurn, &[&data]);
        compare(&mine, &theirs(is_head, &data), &data)?;
    }
}

#[test]
fn ureq_reads_the_vectors_alike() {
    for case in load("http").iter().filter(|case| case["options"].is_null()) {
        let (data, is_head) = (bytes_of(case, "input"), case["method"] == "HEAD");
        let mine = read(Limits::default(), is_head, How::InTurn, &[&data]);
        let compared = compare(&mine, &theirs(is_head, &data), &data);
        assert!(compared.is_ok(), "{}: {compared:?}", name_of(case));
    }
}
