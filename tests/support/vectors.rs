//! The cases that pytest reads as well; `vectors/README.md` says what they hold.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millstream::decode::{Format, StreamDecoder};
use serde_json::Value;

/// A body of `vectors/wire`, as sent, and what it means.
pub struct Wire {
    pub body: Vec<u8>,
    pub format: Format,
    pub case: Value,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cases of `vectors/NAME.json`.
pub fn load(name: &str) -> Vec<Value> {
    let file: Value =
        serde_json::from_slice(&read(&folder().join(format!("{name}.json")))).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(file["count"], cases.len(), "{name}.json is whole");
    cases.clone()
}

/// The bodies of `vectors/wire` in the formats spoken here.
pub fn wire() -> Vec<Wire> {
    let entries = std::fs::read_dir(folder().join("wire")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| path.to_string_lossy().ends_with(".expected.json"));
    let cases = paths.into_iter().filter_map(|path| {
        let case: Value = serde_json::from_slice(&read(&path)).unwrap();
        let format = Format::from_name(case["format"].as_str()?)?;
        let body = read(&folder().join("wire").join(case["file"].as_str()?));
        Some(Wire { body, format, case })
    });
    cases.collect()
}

/// What a case is called.
pub fn name_of(case: &Value) -> &str {
    case["name"].as_str().or(case["file"].as_str()).unwrap()
}

/// The bytes that a case holds in base64.
pub fn bytes_of(case: &Value, name: &str) -> Vec<u8> {
    decoded(&case[format!("{name}_b64")])
}

/// The bytes of a base64 string.
pub fn decoded(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}

/// Bytes as the vectors write them.
pub fn encoded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The limit of a case, or the default.
pub fn limit_of(case: &Value) -> usize {
    case["max_event_size"].as_u64().map_or(1 << 24, |limit| {
        usize::try_from(limit).expect("limits are small")
    })
}

/// A decoder with the options of a case.
pub fn decoder_for(case: &Value) -> StreamDecoder {
    let format = Format::from_name(case["format"].as_str().unwrap()).unwrap();
    let joins = case["options"]["surrogates"] != "replace";
    let decoder = StreamDecoder::new(format, joins, limit_of(case));
    // A wire case has `n` beside its format.
    if case["options"]["n"] == 1 || case["n"] == 1 {
        decoder.of_one_choice()
    } else {
        decoder
    }
}

/// A list in a case.
pub fn list_of(list: &Value) -> &[Value] {
    list.as_array().unwrap()
}
