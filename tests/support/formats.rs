//! Payloads of every format, one much like the one before, and bodies that hold them.

use millstream::decode::Format;

/// The event and the payload; the letters stand for what [`super::payloads`] puts there.
pub type Template = (&'static str, &'static str);

/// Templates of a format, and how its payloads are framed.
pub fn templates(format: Format) -> Vec<Template> {
    let of = |templates: &[Template]| templates.to_vec();
    match format.name() {
        "anthropic.messages" => of(&ANTHROPIC),
        "bedrock.anthropic" => ANTHROPIC.iter().map(|(_, text)| ("chunk", *text)).collect(),
        "bedrock.converse" => of(&CONVERSE),
        "cohere.v2" => of(&COHERE),
        "gemini.generate" => of(&GEMINI),
        "llamacpp.completion" => of(&LLAMACPP),
        "ollama.chat" | "ollama.generate" => of(&OLLAMA),
        "openai.responses" => of(&RESPONSES),
        "tgi.generate" => of(&TGI),
        _ => of(&CHAT),
    }
}

const ANTHROPIC: [Template; 9] = [
    (
        "",
        r#"{"type":"message_start","message":{"id":S,"model":S,"role":"assistant","content":[],"usage":{"n":N}}}"#,
    ),
    (
        "content_block_start",
        r#"{"type":"content_block_start","index":N,"content_block":{"type":"text","text":""}}"#,
    ),
    (
        "content_block_start",
        r#"{"type":"content_block_start","index":N,"content_block":{"type":"tool_use","id":S,"name":S,"input":{}}}"#,
    ),
    (
        "content_block_delta",
        r#"{"type":"content_block_delta","index":N,"delta":{"type":"text_delta","text":S}}"#,
    ),
    (
        "content_block_delta",
        r#"{"index":N,"delta":{"type":"thinking_delta","thinking":S},"x":[N,S]}"#,
    ),
    (
        "content_block_delta",
        r#"{"type":"content_block_delta","index":N,"delta":{"type":"input_json_delta","partial_json":S}}"#,
    ),
    (
        "",
        r#"{"type":"content_block_delta","index":N,"delta":{"type":"text_delta","text":S,"x":S},"error":J}"#,
    ),
    (
        "message_delta",
        r#"{"type":"message_delta","delta":{"stop_reason":S},"usage":{"n":N}}"#,
    ),
    ("ping", r#"{"type":"ping","x":S}"#),
];

const CONVERSE: [Template; 6] = [
    ("messageStart", r#"{"role":S,"p":S}"#),
    (
        "contentBlockStart",
        r#"{"contentBlockIndex":N,"start":{"toolUse":{"toolUseId":S,"name":S}}}"#,
    ),
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex":N,"delta":{"text":S},"p":S}"#,
    ),
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex":N,"delta":{"reasoningContent":{"text":S}},"p":S}"#,
    ),
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex":N,"delta":{"toolUse":{"input":S}},"p":S}"#,
    ),
    ("messageStop", r#"{"stopReason":S,"p":J}"#),
];

const COHERE: [Template; 5] = [
    (
        "message-start",
        r#"{"type":"message-start","id":S,"delta":{"message":{"role":"assistant"}}}"#,
    ),
    (
        "content-delta",
        r#"{"type":"content-delta","index":N,"delta":{"message":{"content":{"text":S}}}}"#,
    ),
    (
        "content-delta",
        r#"{"type":"content-delta","index":N,"delta":{"message":{"content":{"thinking":S,"x":J}}}}"#,
    ),
    (
        "tool-call-delta",
        r#"{"type":"tool-call-delta","index":N,"delta":{"message":{"tool_calls":{"function":{"arguments":S}}}}}"#,
    ),
    (
        "",
        r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":S}},"x":N}"#,
    ),
];

const GEMINI: [Template; 7] = [
    (
        "",
        r#"{"candidates":[{"content":{"parts":[{"text":S}]}}],"usageMetadata":{"n":N,"d":[{"m":S,"n":N}]},"modelVersion":"m"}"#,
    ),
    (
        "",
        r#"{"usageMetadata":{"n":N},"x":S,"candidates":[{"content":{"parts":[{"text":S}]}}],"modelVersion":"m"}"#,
    ),
    (
        "",
        r#"{"candidates":[{"content":{"parts":[{"text":S}],"role":"model"},"index":N}],"modelVersion":"m","responseId":S}"#,
    ),
    (
        "",
        r#"{"candidates":[{"content":{"parts":[{"text":S,"thought":true}],"role":"model"}}],"modelVersion":S}"#,
    ),
    (
        "",
        r#"{"candidates":[{"content":{"parts":[{"text":S,"thoughtSignature":S}]}}],"modelVersion":"m"}"#,
    ),
    (
        "",
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":S,"args":S}}]}}],"modelVersion":"m"}"#,
    ),
    (
        "",
        r#"{"candidates":[{"content":{"parts":[{"text":S},{"text":S}]},"finishReason":J}],"usageMetadata":J}"#,
    ),
];

const LLAMACPP: [Template; 3] = [
    (
        "",
        r#"{"index":N,"content":S,"tokens":[N],"stop":false,"tokens_predicted":N,"tokens_evaluated":N}"#,
    ),
    (
        "",
        r#"{"index":0,"content":S,"tokens":[N,N],"stop":false,"x":{"y":[S,{"z":N}]}}"#,
    ),
    (
        "",
        r#"{"index":N,"content":S,"stop":J,"stop_type":S,"tokens_predicted":N}"#,
    ),
];

const OLLAMA: [Template; 5] = [
    (
        "",
        r#"{"model":"m","created_at":S,"message":{"role":"assistant","content":S},"response":S,"done":false}"#,
    ),
    (
        "",
        r#"{"model":S,"message":{"content":"","thinking":S},"done":false}"#,
    ),
    (
        "",
        r#"{"model":"m","response":S,"thinking":S,"done":false,"logprobs":J}"#,
    ),
    (
        "",
        r#"{"message":{"tool_calls":[{"function":{"arguments":S}}]},"done":false}"#,
    ),
    (
        "",
        r#"{"message":{"tool_calls":[{"id":S,"function":{"name":S,"arguments":{"a":N}}}]},"done":false}"#,
    ),
];

const RESPONSES: [Template; 9] = [
    (
        "response.created",
        r#"{"type":"response.created","response":{"id":S,"model":S,"object":"response"}}"#,
    ),
    (
        "",
        r#"{"type":"response.output_item.added","output_index":N,"item":{"type":"message","role":"assistant"}}"#,
    ),
    (
        "",
        r#"{"type":"response.output_item.added","output_index":N,"item":{"type":"function_call","call_id":S,"name":S,"arguments":S}}"#,
    ),
    (
        "",
        r#"{"type":"response.content_part.added","output_index":N,"content_index":N}"#,
    ),
    (
        "response.output_text.delta",
        r#"{"type":"response.output_text.delta","sequence_number":N,"output_index":N,"content_index":N,"delta":S,"logprobs":[]}"#,
    ),
    (
        "",
        r#"{"type":"response.output_text.done","output_index":N,"content_index":N,"text":S}"#,
    ),
    (
        "response.function_call_arguments.delta",
        r#"{"output_index":N,"delta":S,"item_id":S}"#,
    ),
    (
        "",
        r#"{"type":"response.refusal.delta","output_index":N,"delta":S}"#,
    ),
    (
        "",
        r#"{"type":"response.reasoning_text.delta","output_index":N,"delta":S,"x":J}"#,
    ),
];

const TGI: [Template; 3] = [
    (
        "",
        r#"{"index":N,"token":{"id":N,"text":S,"logprob":N,"special":false},"generated_text":null,"details":null}"#,
    ),
    ("", r#"{"token":{"text":S,"special":true},"x":S}"#),
    (
        "",
        r#"{"token":{"text":S},"generated_text":J,"details":{"finish_reason":S,"generated_tokens":N}}"#,
    ),
];

const CHAT: [Template; 3] = [
    (
        "",
        r#"{"choices":[{"text":S,"delta":{"content":S}}],"usage":{"n":N,"d":{"m":S}},"x":N}"#,
    ),
    (
        "",
        r#"{"id":S,"choices":[{"index":N,"text":S,"delta":{"content":S}}],"x":{"y":[N,S]}}"#,
    ),
    (
        "x",
        r#"{"choices":[{"index":0,"text":S,"delta":{"content":S}}],"x":[N]}"#,
    ),
];

/// A body of payloads with their events: an event stream, or what else the format has.
pub fn body(format: Format, payloads: &[(&str, String)], is_own: bool, ends: [&str; 2]) -> Vec<u8> {
    let [end, space] = ends;
    let frames = payloads.iter().map(|(event, text)| match format.name() {
        "bedrock.anthropic" | "bedrock.converse" if is_own => {
            message(event, &wrapped(format, text))
        }
        "ollama.chat" | "ollama.generate" if is_own => format!("{text}{end}").into_bytes(),
        "gemini.generate" | "tgi.generate" if is_own => format!(",{end}{text}").into_bytes(),
        _ => {
            let text = wrapped(format, text);
            let event = match *event {
                "" => String::new(),
                event => format!("event:{space}{event}{end}"),
            };
            format!("{event}data:{space}{text}{end}{end}").into_bytes()
        }
    });
    let start = match format.name() {
        "gemini.generate" | "tgi.generate" if is_own => "[",
        _ => "",
    };
    [
        start.as_bytes().to_vec(),
        frames.collect::<Vec<_>>().concat(),
    ]
    .concat()
}

fn wrapped(format: Format, text: &str) -> String {
    use base64::Engine;
    match format.name() {
        "bedrock.anthropic" => {
            let bytes = base64::engine::general_purpose::STANDARD.encode(text);
            format!(r#"{{"bytes":"{bytes}","p":"ab"}}"#)
        }
        _ => text.to_owned(),
    }
}

/// A message of AWS's event stream.
pub fn message(event: &str, payload: &str) -> Vec<u8> {
    let headers = [(":message-type", "event"), (":event-type", event)];
    let headers: Vec<u8> = headers
        .iter()
        .flat_map(|(name, value)| {
            let size = u16::try_from(value.len()).unwrap().to_be_bytes();
            [
                &[u8::try_from(name.len()).unwrap()],
                name.as_bytes(),
                &[7],
                &size,
                value.as_bytes(),
            ]
            .concat()
        })
        .collect();
    let total = u32::try_from(16 + headers.len() + payload.len()).unwrap();
    let size = u32::try_from(headers.len()).unwrap();
    let mut message = [total.to_be_bytes(), size.to_be_bytes()].concat();
    message.extend(crc32(&message).to_be_bytes());
    message.extend(&headers);
    message.extend(payload.as_bytes());
    message.extend(crc32(&message).to_be_bytes());
    message
}

/// The checksum of the messages, bit by bit.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    })
}
