//! `http`: what a response means, for every way its bytes can arrive, and what a request may hold.
#![allow(clippy::unwrap_used, reason = "what a vector lacks fails its test")]

mod support;

use millstream::http::connection::Busy;
use millstream::http::request::{self, RequestError};
use millstream::http::{Connection, Error, Limits};
use serde_json::Value;
use support::http::{How, Response, feed, read};
use support::reads::splits;
use support::vectors::{bytes_of, list_of, load, name_of};

fn limits_of(case: &Value) -> Limits {
    let limit = |name: &str| {
        let limit = case["options"][name].as_u64();
        limit.map(|limit| usize::try_from(limit).unwrap())
    };
    let default = Limits::default();
    Limits {
        head_size: limit("max_head_size").unwrap_or(default.head_size),
        header_count: limit("max_header_count").unwrap_or(default.header_count),
        trailer_size: limit("max_trailer_size").unwrap_or(default.trailer_size),
    }
}

fn number(case: &Value) -> Option<usize> {
    case.as_u64().map(|number| usize::try_from(number).unwrap())
}

fn check(case: &Value, got: &Response) {
    let name = name_of(case);
    let status = got.head.as_ref().map(|head| u64::from(head.status));
    assert_eq!(status, case["status"].as_u64(), "{name}");
    let headers = got.head.iter().flat_map(|head| &head.headers);
    let headers: Vec<_> = headers.map(|header| [&header.0, &header.1]).collect();
    assert_eq!(
        serde_json::to_value(headers).unwrap(),
        case["headers"],
        "{name}"
    );
    assert_eq!(got.body, bytes_of(case, "body"), "{name}");
    assert_eq!(got.is_reusable, case["reusable"], "{name}");
    assert_eq!(got.has_ended, case["ended"], "{name}");
    let message = case["failure"]["message"].as_str();
    assert_eq!(got.failure.as_deref(), message, "{name}");
}

/// How many bytes have to be fed for the head, the end and the failure to be seen.
fn due(case: &Value) -> [Option<usize>; 3] {
    ["head_at", "ended_at"]
        .map(|name| &case[name])
        .into_iter()
        .chain([&case["failure"]["at"]])
        .map(number)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

#[test]
fn every_split_gives_the_same_response() {
    for case in load("http") {
        let input = bytes_of(&case, "input");
        let (limits, is_head) = (limits_of(&case), case["method"] == "HEAD");
        let bytes: Vec<_> = input.chunks(1).collect();
        let expected = read(limits, is_head, How::InTurn, &bytes);
        check(&case, &expected);
        let at = [expected.head_at, expected.ended_at, expected.failed_at];
        assert_eq!(at, due(&case), "{}", name_of(&case));
        for pieces in splits(&input) {
            for how in [How::InTurn, How::Fed] {
                let got = read(limits, is_head, how, &pieces);
                let expected = expected.expected_for(&pieces);
                assert_eq!(got, expected, "{} {how:?} {pieces:?}", name_of(&case));
            }
        }
    }
}

#[test]
fn every_beginning_of_a_response_is_too_short_unless_it_has_ended() {
    for case in load("http") {
        let input = bytes_of(&case, "input");
        let (limits, is_head) = (limits_of(&case), case["method"] == "HEAD");
        let [head_at, ended_at, failed_at] = due(&case);
        if input.len() > 1000 {
            continue;
        }
        for size in 0..input.len() {
            let got = read(limits, is_head, How::InTurn, &[&input[..size]]);
            let is_until_close = case["ended"] == true && ended_at.is_none();
            let is_there = |at: Option<usize>| at.is_some_and(|at| size >= at);
            let has_ended = is_there(ended_at) || (is_until_close && is_there(head_at));
            assert_eq!(got.has_ended, has_ended, "{} at {size}", name_of(&case));
            if !is_there(failed_at) && !has_ended {
                let message = got.failure.unwrap();
                let is_early = message.starts_with("the connection closed")
                    || message.starts_with("the server does not speak HTTP/1.1");
                assert!(is_early, "{message}");
            }
        }
    }
}

#[test]
fn there_are_cases_of_every_kind() {
    let cases = load("http");
    let count = |test: &dyn Fn(&Value) -> bool| cases.iter().filter(|case| test(case)).count();
    assert!(count(&|case| case["failure"].is_null()) > 50);
    assert!(count(&|case| case["failure"]["at"].is_u64()) > 100);
    let early = count(&|case| case["failure"].is_object() && case["failure"]["at"].is_null());
    assert!(early > 15);
    assert!(count(&|case| !list_of(&case["headers"]).is_empty()) > 50);
}

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";

fn connection() -> Connection {
    Connection::new(Limits::default())
}

fn exchange(connection: &mut Connection, response: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    connection.begin(false).unwrap();
    feed(connection, How::InTurn, response, &mut body);
    body
}

#[test]
fn one_exchange_follows_the_other() {
    let mut connection = connection();
    assert!(!connection.has_ended() && !connection.is_reusable() && connection.head().is_none());
    assert_eq!(exchange(&mut connection, RESPONSE), b"ab");
    let chunked = b"HTTP/1.1 404 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n";
    assert_eq!(exchange(&mut connection, chunked), b"c");
    assert_eq!(connection.head().unwrap().status, 404);
    connection.begin(true).unwrap();
    assert!(connection.head().is_none() && !connection.has_ended() && !connection.is_reusable());
    connection.feed_head(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    assert!(connection.has_ended() && connection.is_reusable());
    assert_eq!(exchange(&mut connection, RESPONSE), b"ab");
}

#[test]
fn no_request_fits_into_an_exchange_that_is_not_over() {
    let mut connection = connection();
    connection.begin(false).unwrap();
    for byte in RESPONSE.chunks(1) {
        assert_eq!(connection.begin(true), Err(Busy));
        connection.feed(byte, |_| {});
    }
    assert_eq!(connection.begin(false), Ok(()));
}

#[test]
fn a_head_that_is_complete_leaves_data_as_it_is() {
    let mut connection = connection();
    connection.begin(false).unwrap();
    assert_eq!(connection.feed_head(b""), None);
    assert_eq!(connection.feed_head(&RESPONSE[..20]), None);
    assert_eq!(connection.feed_head(&RESPONSE[20..]), Some(&b"ab"[..]));
    assert_eq!(connection.feed_head(b"ab"), Some(&b"ab"[..]));
    connection.feed(b"ab", |piece| assert_eq!(piece, b"ab"));
    assert!(connection.is_reusable());
    assert_eq!(connection.feed_head(b""), Some(&b""[..]));
    assert!(connection.is_reusable());
}

#[test]
fn what_arrives_between_exchanges_makes_the_connection_unusable() {
    for how in [How::InTurn, How::Fed] {
        let mut connection = connection();
        exchange(&mut connection, RESPONSE);
        feed(&mut connection, how, b"", &mut Vec::new());
        assert!(connection.is_reusable());
        feed(&mut connection, how, b"H", &mut Vec::new());
        assert!(!connection.is_reusable() && connection.has_ended());
        assert_eq!(connection.failure(), None);
        assert_eq!(connection.begin(false), Err(Busy));
    }
}

#[test]
fn a_server_that_speaks_first_is_refused() {
    let mut connection = connection();
    connection.feed(b"", |_| {});
    assert_eq!(connection.failure(), None);
    connection.feed(RESPONSE, |_| {});
    assert_eq!(connection.failure(), Some(&Error::Unasked));
    assert_eq!(connection.begin(false), Err(Busy));
}

#[test]
fn a_closed_connection_takes_no_request() {
    let mut fresh = connection();
    fresh.close();
    assert_eq!(fresh.failure(), None);
    assert_eq!(fresh.begin(false), Err(Busy));
    let mut used = connection();
    exchange(&mut used, RESPONSE);
    used.close();
    assert!(used.has_ended() && used.failure().is_none());
    assert_eq!(used.begin(false), Err(Busy));
}

#[test]
fn a_request_that_says_close_is_the_last_one() {
    let mut connection = connection();
    connection.begin(false).unwrap();
    connection.end_after_this();
    connection.feed(RESPONSE, |_| {});
    assert!(connection.has_ended() && !connection.is_reusable());
}

#[test]
fn a_piece_may_be_put_where_something_else_is_borrowed() {
    let (mut connection, mut pieces) = (connection(), Vec::new());
    connection.begin(false).unwrap();
    connection.feed(RESPONSE, |piece| pieces.push(piece));
    assert_eq!(pieces, [b"ab"]);
}

fn head(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    len: Option<usize>,
) -> Result<String, RequestError> {
    let headers = [&[("Host", "h")], headers].concat();
    let made = request::head(method, target, headers, len)?;
    Ok(String::from_utf8(made.head).unwrap())
}

#[test]
fn a_request_is_written_as_it_was_given() {
    let headers = [("X-A", "b\tc  d "), ("x-a", ""), ("u", "é✓")];
    let text = "GET /a?b#c HTTP/1.1\r\nHost: h\r\nX-A: b\tc  d \r\nx-a: \r\nu: é✓\r\n\r\n";
    assert_eq!(head("GET", "/a?b#c", &headers, None).unwrap(), text);
    let text = "M-SEARCH * HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(head("M-SEARCH", "*", &[], None).unwrap(), text);
}

#[test]
fn a_body_has_its_length_declared() {
    let text = "POST / HTTP/1.1\r\nHost: h\r\ncontent-length: 7\r\n\r\n";
    assert_eq!(head("POST", "/", &[], Some(7)).unwrap(), text);
    let given = head("POST", "/", &[("Content-Length", "7")], Some(7));
    assert_eq!(
        given.unwrap(),
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n"
    );
    for (method, body, length) in [
        ("POST", &b""[..], Some(0)),
        ("PUT", b"", Some(0)),
        ("PATCH", b"", Some(0)),
        ("GET", b"", None),
        ("DELETE", b"", None),
        ("GET", b"ab", Some(2)),
    ] {
        assert_eq!(request::declared_len(method, body), length, "{method}");
    }
}

#[test]
fn a_length_that_is_not_the_bodys_is_refused() {
    for value in ["8", "07", " 7", "+7", "7,7", "", "x"] {
        let refused = head("POST", "/", &[("content-length", value)], Some(7));
        assert_eq!(refused, Err(RequestError::ContentLength), "{value}");
    }
    let twice = [("content-length", "7"), ("Content-Length", "7")];
    assert_eq!(
        head("POST", "/", &twice, Some(7)),
        Err(RequestError::ContentLength)
    );
    let alone = [("content-length", "7")];
    assert_eq!(
        head("GET", "/", &alone, None),
        Err(RequestError::ContentLength)
    );
    let coded = [("Transfer-Encoding", "chunked")];
    assert_eq!(
        head("POST", "/", &coded, Some(7)),
        Err(RequestError::TransferEncoding)
    );
}

#[test]
fn nothing_can_be_injected_into_a_request() {
    for bad in '\0'..='\u{ff}' {
        let text = format!("a{bad}b");
        let name = head("GET", "/", &[(&text, "v")], None);
        let is_token = bad.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(bad);
        assert_eq!(name.is_ok(), is_token, "{text:?} as a name");
        assert_eq!(head(&text, "/", &[], None).is_ok(), is_token, "{text:?}");
        let value = head("GET", "/", &[("x", &text)], None);
        let is_value = bad == '\t' || !bad.is_control();
        assert_eq!(value.is_ok(), is_value, "{text:?} as a value");
        let target = head("GET", &text, &[], None);
        assert_eq!(target.is_ok(), bad.is_ascii_graphic(), "{text:?}");
    }
    for separator in ["\u{2028}", "\u{2029}"] {
        let value = head("GET", "/", &[("x", separator)], None);
        assert_eq!(value, Err(RequestError::HeaderValue("x".to_owned())));
    }
    assert_eq!(
        head("GET", "/", &[("", "v")], None),
        Err(RequestError::HeaderName(1))
    );
    assert_eq!(head("GET", "", &[], None), Err(RequestError::Target));
    assert_eq!(head("", "/", &[], None), Err(RequestError::Method));
    assert_eq!(head("CONNECT", "h:1", &[], None), Err(RequestError::Method));
}

#[test]
fn an_error_of_a_request_does_not_quote_its_values() {
    let secret = "sk-secret\r\n";
    for refused in [
        head("GET", "/", &[("authorization", secret)], None),
        head("GET", "/", &[(secret, "v")], None),
        head("GET", secret, &[], None),
        head(secret, "/", &[], None),
        head("GET", "/", &[("content-length", secret)], None),
        head("GET", "/", &[("transfer-encoding", secret)], None),
    ] {
        assert!(!refused.unwrap_err().to_string().contains("secret"));
    }
}

#[test]
fn a_request_has_one_host() {
    let made = request::head("GET", "/", [("accept", "*/*")], None);
    assert_eq!(made, Err(RequestError::Host));
    assert_eq!(
        head("GET", "/", &[("hOST", "h")], None),
        Err(RequestError::Host)
    );
}

#[test]
fn a_request_says_what_it_means_for_the_connection() {
    let made = |method: &str, value: &str| {
        let headers = [("host", "h"), ("Connection", value)];
        let made = request::head(method, "/", headers, None).unwrap();
        (made.is_head, made.is_last)
    };
    assert_eq!(made("GET", "keep-alive"), (false, false));
    assert_eq!(made("HEAD", "te, CLOSE"), (true, true));
    assert_eq!(made("head", "closed"), (false, false));
}
