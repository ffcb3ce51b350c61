//! Responses as servers send them, and nearly so.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

type Part = &'static [u8];

/// Something of `good`, and now and then of `bad`, which is wrong or odd.
fn mostly(good: &'static [Part], bad: &'static [Part]) -> impl Strategy<Value = Part> {
    prop_oneof![20 => select(good), 1 => select(bad)]
}

fn version() -> impl Strategy<Value = Part> {
    mostly(
        &[b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"],
        &[b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"\r\nHTTP/1.1", b""],
    )
}

fn status() -> impl Strategy<Value = Part> {
    mostly(
        &[b" 200 OK", b" 200", b" 404 Not Found", b" 600 \xE9"],
        &[b" 204 X", b" 304 X", b" 99 X", b" 2000 X", b" 2x0"],
    )
}

fn header() -> impl Strategy<Value = Part> {
    mostly(
        &[
            b"Content-Type: text/event-stream",
            b"A:b",
            b"A: b \t",
            b"A:",
            b"U: \xC3\xA9",
            b"U: \xE9",
            b"Connection: close",
            b"connection: keep-alive",
            b"Connection: x, Close",
        ],
        &[
            b"A : b",
            b"A: b\r\n c",
            b": b",
            b"A",
            b"A: \x7F",
            b"A: \0",
            b"A: b\rc",
        ],
    )
}

fn coding() -> impl Strategy<Value = Part> {
    mostly(
        &[
            b"Transfer-Encoding: chunked",
            b"transfer-encoding:\tCHUNKED ",
        ],
        &[
            b"Transfer-Encoding: gzip, chunked",
            b"Transfer-Encoding: chunked, chunked",
            b"Transfer-Encoding: chunked, gzip",
            b"Transfer-Encoding: identity",
            b"Content-Length: 5\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ],
    )
}

fn length() -> impl Strategy<Value = Part> {
    mostly(
        &[
            b"Content-Length: 5",
            b"content-length:\t05 ",
            b"Content-Length: 5, 5",
            b"Content-Length: 5\r\nContent-Length: 5",
        ],
        &[
            b"Content-Length: 5, 6",
            b"Content-Length: 5\r\nContent-Length: 05",
            b"Content-Length: +5",
            b"Content-Length:",
            b"Content-Length: 99999999999999999999",
        ],
    )
}

fn chunk() -> impl Strategy<Value = Vec<u8>> {
    let size = mostly(
        &[b"", b"", b"0"],
        &[b"+", b"-", b"0x", b" ", b"000000000000000"],
    );
    let extension = mostly(
        &[
            b"",
            b"",
            b"",
            b"",
            b";a",
            b";a=b;c",
            b" ;a=\"b\"",
            b" ",
            b"\t",
            b";\xE9",
        ],
        &[b";\x01", b";\ra", b",", b";a\n", b"_", b"g"],
    );
    let line_end = || mostly(&[b"\r\n"], &[b"\n", b"\r", b"", b"xx"]);
    let data = vec(any::<u8>(), 1..20);
    (size, any::<bool>(), extension, line_end(), data, line_end()).prop_map(
        |(zeros, is_upper, extension, end, data, behind)| {
            let size = if is_upper {
                format!("{:X}", data.len())
            } else {
                format!("{:x}", data.len())
            };
            [zeros, size.as_bytes(), extension, end, &data, behind].concat()
        },
    )
}

fn last_chunk() -> impl Strategy<Value = Part> {
    mostly(
        &[
            b"0\r\n\r\n",
            b"00;x\r\n\r\n",
            b"0\r\nA: b\r\n\r\n",
            b"0\r\nA: b\r\nC:\r\n\r\n",
        ],
        &[
            b"0\r\nA: b\nC: d\r\n\r\n",
            b"0\n\r\n",
            b"0\r\n",
            b"",
            b"0\r\nA\r\n\r\n",
            b"0\r\n x\r\n\r\n",
        ],
    )
}

fn interim() -> impl Strategy<Value = Part> {
    mostly(
        &[
            b"",
            b"",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 103 X\r\nA: b\r\n\r\n",
        ],
        &[b"HTTP/1.1 101 X\r\n\r\n", b"HTTP/1.1 100 X\r\nA: b\r\n\r\n"],
    )
}

/// The framing header, and the body behind the head.
fn framed() -> impl Strategy<Value = (Part, Vec<u8>)> {
    let chunks = (vec(chunk(), 0..4), last_chunk())
        .prop_map(|(chunks, last)| [chunks.concat(), last.to_vec()].concat());
    let plain = select(vec![&b"Hello"[..], b"Hello", b"Hell", b""]).prop_map(<[u8]>::to_vec);
    prop_oneof![
        4 => (coding(), chunks),
        2 => (length(), plain.clone()),
        1 => (header(), plain),
    ]
}

/// Whole responses, and what may stand behind them.
pub fn response() -> impl Strategy<Value = Vec<u8>> {
    let behind = select(vec![
        &b""[..],
        b"",
        b"",
        b"\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"x",
    ]);
    let line_end = select(vec![&b"\r\n"[..], b"\r\n", b"\r\n", b"\n"]);
    let head = (
        interim(),
        version(),
        status(),
        vec(header(), 0..3),
        line_end,
    );
    (head, framed(), behind, edits()).prop_map(
        |((interim, version, status, headers, end), (framing, body), behind, edits)| {
            let mut lines = vec![[version, status].concat()];
            lines.extend(
                headers
                    .into_iter()
                    .chain([framing, b"", b""])
                    .map(<[u8]>::to_vec),
            );
            let head = lines.join(end);
            edited([interim, &head, &body, behind].concat(), &edits)
        },
    )
}

/// Where to cut how many bytes out, and what to put there.
type Edit = (Index, usize, Part);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    const TOKENS: &[Part] = &[
        b"",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b" ",
        b"\t",
        b"\0",
        b"0",
        b"5",
        b"g",
        b";",
        b":",
        b",",
        b"\xE9",
        b"\x01",
        b"HTTP/1.1",
    ];
    let edit = (any::<Index>(), 0..3_usize, select(TOKENS));
    prop_oneof![2 => Just(Vec::new()), 1 => vec(edit, 1..4)]
}

fn edited(mut data: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for (at, size, put) in edits {
        let at = at.index(data.len() + 1);
        let end = (at + size).min(data.len());
        data.splice(at..end, put.iter().copied());
    }
    data
}
