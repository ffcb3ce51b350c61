//! Reads the text out of a response's body, as the clients of every wire do.

use serde_json::Value;

/// A wire of the gateway.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire {
    /// Stream events as server-sent events: `LangServe`'s records.
    Records,
    /// Chunks of chat completions.
    Chat,
    /// Vercel's UI message stream.
    Vercel,
    /// AG-UI's events.
    AgUi,
    /// A JSON object a line.
    Ndjson,
    /// The text alone.
    Text,
}

/// What a body said.
#[derive(Debug, Default)]
pub struct Said {
    /// Pieces of text, each with the size of the body up to the end of its record.
    pub texts: Vec<(usize, String)>,
    /// Whether the end mark of the wire was there.
    pub ended: bool,
    /// Whether there was an error record.
    pub failed: bool,
}

impl Said {
    /// Returns the whole text.
    pub fn text(&self) -> String {
        self.texts.iter().map(|(_, text)| text.as_str()).collect()
    }
}

impl Wire {
    /// Returns the wire of a name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "langchain.v2" => Self::Records,
            "openai.chat" => Self::Chat,
            "vercel.ui" => Self::Vercel,
            "ag-ui" => Self::AgUi,
            "ndjson" => Self::Ndjson,
            "text" => Self::Text,
            _ => return None,
        })
    }

    /// Returns whether a whole stream says that it ended.
    pub fn has_end_mark(self) -> bool {
        !matches!(self, Self::Ndjson | Self::Text)
    }

    /// Reads a body.
    pub fn read(self, body: &[u8]) -> Said {
        let mut said = Said::default();
        match self {
            Self::Text => {
                // Characters may be cut at the end of a stream that was.
                let size = body
                    .utf8_chunks()
                    .next()
                    .map_or(0, |chunk| chunk.valid().len());
                let valid = str::from_utf8(&body[..size]).unwrap_or_default();
                let ends = valid
                    .char_indices()
                    .map(|(place, one)| (place + one.len_utf8(), one.to_string()));
                said.texts = ends.collect();
            }
            Self::Ndjson => {
                let mut end = 0;
                for line in body.split_inclusive(|&byte| byte == b'\n') {
                    end += line.len();
                    self.data(line, end, &mut said);
                }
            }
            _ => self.events(body, &mut said),
        }
        said
    }

    /// Reads server-sent events.
    fn events(self, body: &[u8], said: &mut Said) {
        let (mut end, mut data, mut name) = (0, Vec::new(), &b""[..]);
        for line in body.split_inclusive(|&byte| byte == b'\n') {
            end += line.len();
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                said.failed |= name == b"error";
                said.ended |= self == Self::Records && name == b"end";
                self.data(&data, end, said);
                data.clear();
                name = b"";
            } else if let Some(value) = line.strip_prefix(b"data:") {
                data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            } else if let Some(value) = line.strip_prefix(b"event:") {
                name = value.strip_prefix(b" ").unwrap_or(value);
            }
        }
    }

    /// Reads the data of one record.
    fn data(self, data: &[u8], end: usize, said: &mut Said) {
        if data == b"[DONE]" {
            said.ended = true;
            return;
        }
        let Ok(value) = serde_json::from_slice::<Value>(data) else {
            return;
        };
        let kind = value["type"].as_str().unwrap_or_default();
        said.failed |= value.get("error").is_some_and(|error| !error.is_null());
        let text = match self {
            Self::Chat => &value["choices"][0]["delta"]["content"],
            Self::Records => chunk_text(&value),
            Self::Ndjson => &value["text"],
            Self::Vercel => {
                said.failed |= kind == "error";
                if kind == "text-delta" {
                    &value["delta"]
                } else {
                    &Value::Null
                }
            }
            Self::AgUi => {
                said.failed |= kind == "RUN_ERROR";
                said.ended |= kind == "RUN_FINISHED";
                if kind.starts_with("TEXT_MESSAGE_") {
                    &value["delta"]
                } else {
                    &Value::Null
                }
            }
            Self::Text => &Value::Null,
        };
        if let Some(text) = text.as_str()
            && !text.is_empty()
        {
            said.texts.push((end, text.to_owned()));
        }
    }
}

/// Returns the text of a model's stream event.
fn chunk_text(event: &Value) -> &Value {
    if event["event"] == "on_chat_model_stream" {
        &event["data"]["chunk"]["content"]
    } else {
        &Value::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wire: Wire, body: &str) -> (String, bool, bool) {
        let said = wire.read(body.as_bytes());
        (said.text(), said.ended, said.failed)
    }

    #[test]
    fn every_wire_is_read() {
        let whole = |text: &str| (text.to_owned(), true, false);
        let event = r#"{"event":"on_chat_model_stream","data":{"chunk":{"content":"a\u0022"}}}"#;
        let records = format!("event: data\r\ndata: {event}\r\n\r\n: ping\n\nevent: end\n\n");
        assert_eq!(read(Wire::Records, &records), whole("a\""));
        let chat = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[]}\n\ndata: [DONE]\n\n";
        assert_eq!(read(Wire::Chat, chat), whole("a"));
        let vercel =
            "data: {\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"Hi\"}\n\ndata: [DONE]\n\n";
        assert_eq!(read(Wire::Vercel, vercel), whole("Hi"));
        let agui = "data: {\"type\":\"TEXT_MESSAGE_CONTENT\",\"delta\":\"Hi\"}\n\ndata: {\"type\":\"RUN_FINISHED\"}\n\n";
        assert_eq!(read(Wire::AgUi, agui), whole("Hi"));
        assert_eq!(
            read(Wire::Ndjson, "{\"text\":\"a\"}\n{\"text\":\"b\"}\n"),
            ("ab".to_owned(), false, false)
        );
        assert_eq!(read(Wire::Text, "aé"), ("aé".to_owned(), false, false));
    }

    #[test]
    fn errors_are_seen() {
        assert!(
            read(
                Wire::Records,
                "event: error\ndata: {\"status_code\":500}\n\n"
            )
            .2
        );
        assert!(read(Wire::Chat, "data: {\"error\":{\"message\":\"no\"}}\n\n").2);
        assert!(
            read(
                Wire::Vercel,
                "data: {\"type\":\"error\",\"errorText\":\"no\"}\n\n"
            )
            .2
        );
        assert!(read(Wire::Ndjson, "{\"error\":{\"message\":\"no\"}}\n").2);
    }

    #[test]
    fn a_piece_ends_where_its_record_ends() {
        let said = Wire::Ndjson.read(b"{\"text\":\"a\"}\n{\"text\":\"b\"}\n");
        assert_eq!(said.texts, [(13, "a".to_owned()), (26, "b".to_owned())]);
    }
}
