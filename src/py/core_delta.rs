//! A Python `Delta` → the core's.

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::convert::values;
use super::delta::{LazyJson, PyDelta};
use super::tool_call_delta::PyToolCallDelta;
use crate::delta::{Delta, Text, ToolCallDelta};

/// Calls `take` with the content of `delta`; its strings are whole, and empty ones are absent.
pub fn with_delta<V>(
    py: Python<'_>,
    delta: &PyDelta,
    take: impl FnOnce(&Delta<'_>) -> V,
) -> PyResult<V> {
    let kept = delta.kept().map(|kept| kept_json(py, kept));
    let [usage, error, logprobs, audio] = kept;
    let (usage, error, logprobs, audio) = (usage?, error?, logprobs?, audio?);
    let [role, text, reasoning, refusal, finish_reason] = delta.texts();
    let objects = delta.tool_calls.bind(py).iter();
    let objects: Vec<Bound<'_, PyToolCallDelta>> =
        objects.map(tool_call).collect::<PyResult<_>>()?;
    let tool_calls = objects.iter().map(|object| {
        let call = object.get();
        Ok(ToolCallDelta {
            index: call.index,
            id: whole(py, call.id.as_ref())?,
            name: whole(py, call.name.as_ref())?,
            args: whole(py, call.args.as_ref())?,
        })
    });
    Ok(take(&Delta {
        index: delta.index,
        role: some(whole(py, role)?),
        text: some(whole(py, text)?),
        reasoning: some(whole(py, reasoning)?),
        refusal: some(whole(py, refusal)?),
        tool_calls: tool_calls.collect::<PyResult<_>>()?,
        finish_reason: some(whole(py, finish_reason)?),
        usage: usage.as_deref(),
        error: error.as_deref(),
        logprobs: logprobs.as_deref(),
        audio: audio.as_deref(),
    }))
}

/// `text` with U+FFFD for every lone half of a surrogate pair.
fn whole_text<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Text<'a>> {
    if let Ok(text) = text.to_str() {
        return Ok(Cow::Borrowed(text));
    }
    let py = text.py();
    let whole = values(py)?.call_method1(intern!(py, "whole_text"), (text,))?;
    Ok(Cow::Owned(whole.extract()?))
}

fn whole<'a>(py: Python<'a>, text: Option<&'a Py<PyString>>) -> PyResult<Option<Text<'a>>> {
    text.map(|text| whole_text(text.bind(py))).transpose()
}

fn some(text: Option<Text<'_>>) -> Option<Text<'_>> {
    text.filter(|text| !text.is_empty())
}

fn tool_call(object: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyToolCallDelta>> {
    object.cast_into::<PyToolCallDelta>().map_err(|error| {
        match error.into_inner().get_type().name() {
            Ok(kind) => PyTypeError::new_err(format!(
                "Delta: tool_calls must have ToolCallDelta objects, not {kind}"
            )),
            Err(error) => error,
        }
    })
}

/// The JSON text of a provider's object.
fn kept_json(py: Python<'_>, kept: Option<&LazyJson>) -> PyResult<Option<String>> {
    match kept {
        None => Ok(None),
        Some(LazyJson::Json(json)) => Ok(Some(String::from_utf8_lossy(json).into_owned())),
        Some(LazyJson::Value(value)) => {
            let text = values(py)?.call_method1(intern!(py, "write_kept"), (value,))?;
            text.extract().map(Some)
        }
    }
}
