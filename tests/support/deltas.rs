//! Deltas as the vectors write them: the fields that are there, `index` where it is not 0.

use millstream::delta::{Delta, Sink};
use serde_json::{Map, Value, json};

use super::documents::without_lone_surrogates;

/// Collects deltas.
pub struct Collect<'a>(pub &'a mut Vec<Value>);

impl Sink for Collect<'_> {
    fn delta(&mut self, delta: &Delta<'_>) {
        self.0.push(delta_value(delta));
    }
}

/// One delta.
pub fn delta_value(delta: &Delta<'_>) -> Value {
    let mut fields = Map::new();
    if delta.index != 0 {
        fields.insert("index".into(), delta.index.into());
    }
    let texts = [
        ("role", &delta.role),
        ("text", &delta.text),
        ("reasoning", &delta.reasoning),
        ("refusal", &delta.refusal),
        ("finish_reason", &delta.finish_reason),
    ];
    for (name, text) in texts {
        fields.extend(text.as_ref().map(|text| (name.into(), json!(text))));
    }
    if !delta.tool_calls.is_empty() {
        let calls = delta.tool_calls.iter();
        let calls = calls.map(|call| json!([call.index, call.id, call.name, call.args]));
        fields.insert("tool_calls".into(), calls.collect());
    }
    fields.extend(delta.usage.map(|text| ("usage".into(), read_json(text))));
    fields.extend(delta.error.map(|text| ("error".into(), read_error(text))));
    let logprobs = delta.logprobs.map(read_json);
    fields.extend(logprobs.map(|value| ("logprobs".into(), value)));
    let audio = delta.audio.map(read_json);
    fields.extend(audio.map(|value| ("audio".into(), value)));
    fields.into()
}

/// The value of kept JSON text; the text itself where a number is too large for `serde_json`.
pub fn read_json(text: &str) -> Value {
    serde_json::from_str(&without_lone_surrogates(text)).unwrap_or_else(|_| text.into())
}

/// The provider's error object, `message` added where it is missing: what `_values.read_error` does.
pub fn read_error(text: &str) -> Value {
    const SILENT: &str = "the provider sent an error without a message";
    match read_json(text) {
        Value::Object(mut error) => {
            if matches!(error.get("message"), None | Some(Value::Null)) || error["message"] == "" {
                let kind = [error.get("type"), error.get("code")];
                let kind = kind.into_iter().flatten().find(|kind| is_truthy(kind));
                let message = match (words(&error.clone().into()), kind) {
                    (words, _) if !words.is_empty() => words,
                    (_, None) => SILENT.to_owned(),
                    (_, Some(Value::String(kind))) => format!("{SILENT} ({kind})"),
                    (_, Some(kind)) => format!("{SILENT} ({kind})"),
                };
                error.insert("message".into(), message.into());
            }
            error.into()
        }
        Value::String(text) if !text.is_empty() => json!({"message": text}),
        _ => json!({"message": SILENT}),
    }
}

/// The words of an error, as far as the cases need them.
fn words(value: &Value) -> String {
    let names = ["message", "error_message", "detail", "msg", "error_type"];
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Array(items) => {
            let words = items.iter().map(words).filter(|words| !words.is_empty());
            words.collect::<Vec<_>>().join("; ")
        }
        _ => names
            .iter()
            .filter_map(|name| value.get(name))
            .map(words)
            .find(|words| !words.is_empty())
            .unwrap_or_default(),
    }
}

fn is_truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0
}

/// What deltas say, as the wire cases list it.
pub fn operations(deltas: &[Value], ended: Option<&str>) -> Vec<Value> {
    let mut found = Vec::new();
    for delta in deltas {
        let index = delta.get("index").cloned().unwrap_or_else(|| 0.into());
        for name in ["role", "reasoning", "text", "refusal"] {
            found.extend(delta.get(name).map(|value| json!([name, index, value])));
        }
        for call in delta
            .get("tool_calls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            found.push(json!(["tool", index, call[0], call[1], call[2], call[3]]));
        }
        found.extend(
            delta
                .get("finish_reason")
                .map(|reason| json!(["finish", index, reason])),
        );
        for name in ["usage", "error"] {
            found.extend(delta.get(name).map(|value| json!([name, value])));
        }
    }
    found.extend(ended.map(|ended| json!(["done", ended])));
    found
}
