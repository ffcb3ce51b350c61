//! What the fuzz targets share: options and splits out of an input.

/// An input's first two bytes, which say how the rest, the body, is read.
#[derive(Clone, Copy, Debug)]
pub struct Input<'d> {
    /// Bits that a target gives a meaning.
    pub options: u8,
    /// What the reader reads.
    pub body: &'d [u8],
    seed: u8,
}

impl<'d> Input<'d> {
    /// The parts of `data`; `None` if it is too short to have them.
    #[must_use]
    pub fn new(data: &'d [u8]) -> Option<Self> {
        let [options, seed, body @ ..] = data else {
            return None;
        };
        Some(Self {
            options: *options,
            body,
            seed: *seed,
        })
    }

    /// Whether one of the lower four option bits is set.
    #[must_use]
    pub fn is_set(&self, bit: u8) -> bool {
        self.options >> bit & 1 == 1
    }

    /// A size limit out of the upper four option bits: none that matters for 0, else a small one.
    #[must_use]
    pub fn limit(&self) -> usize {
        match usize::from(self.options >> 4) {
            0 => 1 << 24,
            steps => steps * steps * 4,
        }
    }

    /// The body as reads of sizes from 0 to 16 bytes, or up to 256, which the seed decides.
    #[must_use]
    pub fn pieces(&self) -> Vec<&'d [u8]> {
        let mut state = u32::from(self.seed) | 0x100;
        let most = if self.seed & 1 == 0 { 17 } else { 257 };
        let (mut rest, mut pieces) = (self.body, Vec::new());
        while !rest.is_empty() {
            // Marsaglia's xorshift: no more is needed to vary sizes.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let size = (state % most) as usize;
            let (piece, after) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }

    /// The body byte by byte.
    #[must_use]
    pub fn bytes(&self) -> Vec<&'d [u8]> {
        self.body.chunks(1).collect()
    }
}

/// The formats that the fuzz targets read: bit 0 of the options chooses between the first two; for the target
/// of formats, a number does.
pub const FORMATS: [&str; 13] = [
    "openai.chat",
    "openai.completions",
    "auto",
    "anthropic.messages",
    "bedrock.anthropic",
    "bedrock.converse",
    "cohere.v2",
    "gemini.generate",
    "llamacpp.completion",
    "ollama.chat",
    "ollama.generate",
    "openai.responses",
    "tgi.generate",
];

/// Payloads as servers send them: what a decoder may have seen before.
const PAYLOADS: [&str; 12] = [
    r#"{"id":"d","model":"m","choices":[{"index":0,"text":"a","delta":{"content":"a"}}],"service_tier":"t"}"#,
    r#"{"id":"e","model":"n","choices":[{"index":0,"text":"b","delta":{"content":"b"}}],"x":NaN}"#,
    r#"{"choices":[{"text":"a","delta":{"content":"a"},"error":null,"usage":null}],"x_groq":{"error":""}}"#,
    r#"{"choices":null,"message":"m","code":200,"status":"ok","detail":null,"error_type":"","x":-Infinity}"#,
    r#"{"id":"cmpl-7","choices":[{"text":" a","index":0,"logprobs":null,"finish_reason":null}],"created":17}"#,
    r#"{"id":"cmpl-7","choices":[{"text":"b\n","index":1,"logprobs":null,"finish_reason":null}],"created":18}"#,
    r#"{"id":"c","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"obfuscation":"x\"y"}"#,
    r#"{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
    r#"{"choices":[{"index":0,"delta":{"content":null,"reasoning_content":"h","reasoning":""}}],"n":-1.5e3}"#,
    r#"{"choices":[{"delta":{"content":"\ud83d"},"index":0}],"x":{"y":["z",1]},"x":"z","usage":null}"#,
    r#"{"choices":[{"delta":{"content":"\ude00 b","x":"1"},"index":0,"finish_reason":"stop"}],"usage":{"n":1}}"#,
    r#"{"object":"o", "choices": [ {"delta" : {"content" : "a"} , "index": 2} ] , "created": 0 }"#,
];

/// A stream of payloads, each like the one before but for a few edits, as `script` says.
///
/// Three bytes are one step: which payload to go on with (or the same again), where to edit it, and
/// what to put there.
#[must_use]
pub fn edited_payloads(script: &[u8]) -> Vec<u8> {
    const TOKENS: [&str; 16] = [
        "", "a", "\"", "\\", "\\u00e9", "\\ud83d", "\\ude00", "0", "17", "-", "1.5", "null", "{}",
        ",", "\\n", "\u{2028}",
    ];
    let mut body = Vec::new();
    let mut payload = PAYLOADS[0].to_owned();
    for step in script.chunks_exact(3) {
        if step[0] & 0x80 != 0 {
            PAYLOADS[usize::from(step[0]) % PAYLOADS.len()].clone_into(&mut payload);
        }
        let mut at = usize::from(step[1]) % (payload.len() + 1);
        while !payload.is_char_boundary(at) {
            at -= 1;
        }
        let mut end = (at + usize::from(step[0] >> 4 & 7)).min(payload.len());
        while !payload.is_char_boundary(end) {
            end += 1;
        }
        let mut edited = payload.clone();
        edited.replace_range(at..end, TOKENS[usize::from(step[2]) % TOKENS.len()]);
        for text in [&payload, &edited, &payload] {
            body.extend_from_slice(b"data: ");
            body.extend_from_slice(text.as_bytes());
            body.extend_from_slice(b"\n\n");
        }
        if step[2] & 0x80 != 0 {
            payload = edited;
        }
    }
    body
}
