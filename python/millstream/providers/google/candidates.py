"""``read_candidate``: the parts of one candidate of an answer as the content, calls and media of a message."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from .contents import SIGNATURES
from .parts import MEDIA_PROCESSING

__all__ = ("Candidate", "is_text_alone", "read_candidate", "set_text")

_CODE_WARNING = """
        Warning: Output may vary each run.
        - 'executable_code': Always present.
        - 'execution_result' & 'image_url': May be absent for some queries.

        Validate before using in production.
"""
# The sample rate of speech, in samples of two bytes each second.
_SAMPLE_RATE = 24_000

_Part = Mapping[str, Any]

# The members of a candidate that are in every payload.
_USUAL = frozenset({"content", "index"})


class Candidate:
    """What the parts of a candidate are in a message; ``content`` is ``None`` without any.

    ``calls`` are the function calls: names, arguments as JSON, ids.
    """

    __slots__ = ("calls", "content", "kwargs")

    def __init__(self) -> None:
        self.content: str | list[Any] | None = None
        self.calls: list[tuple[str | None, str, str]] = []
        self.kwargs: dict[str, Any] = {}

    def add(self, item: str | dict[str, Any]) -> None:
        """Append to the content, which is a text as long as it is one text alone."""
        if self.content is None:
            self.content = item if isinstance(item, str) else [item]
        elif isinstance(self.content, str):
            self.content = [self.content, item]
        else:
            self.content.append(item)

    @property
    def has_thoughts(self) -> bool:
        """Whether the content has a thought."""
        items = self.content if isinstance(self.content, list) else []
        return any(isinstance(item, dict) and item.get("type") == "thinking" for item in items)


def is_text_alone(candidate: Mapping[str, Any]) -> bool:
    """Return whether a candidate has one text, which is not empty, and nothing else."""
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) and candidate.keys() <= _USUAL else None
    if not isinstance(parts, list) or len(parts) != 1 or type(parts[0]) is not dict:
        return False
    return len(parts[0]) == 1 and bool(parts[0].get("text"))


def read_candidate(candidate: dict[str, Any], *, as_blocks: bool, strip: bool, text: str | None = None) -> Candidate:
    """Return what the parts of ``candidate`` are in a message.

    With ``as_blocks``, texts are always blocks; ``strip`` removes the line ends that Gemini puts behind a whole
    text. ``text`` is the text of the candidate in whole characters.
    """
    if text is not None:
        set_text(candidate, text)
    found = Candidate()
    for part in _list_parts(candidate):
        signature = _read_signature(part)
        own = part.get("text")
        _read_text(found, part, own.rstrip("\n") if strip and isinstance(own, str) else own, signature, as_blocks)
        for name, read in _READERS:
            if isinstance(value := part.get(name), Mapping):
                read(found, value, signature)
    if any(isinstance(item, dict) and "executable_code" in item for item in found.content or ()):
        warnings.warn(_CODE_WARNING, stacklevel=2)
    return found


def set_text(candidate: dict[str, Any], text: str) -> None:
    """Change the texts of the parts of ``candidate`` to ``text``, the same in whole characters.

    A half that was held back before is at the start of ``text``, and one that is held back now is missing at its end.
    """
    parts = _list_parts(candidate)
    own = [part for part in parts if isinstance(part.get("text"), str) and not part.get("thought")]
    texts = [part["text"] for part in own]
    if "".join(texts) == text:
        return
    if not own:
        content = candidate.get("content")
        candidate["content"] = {**(content if isinstance(content, dict) else {}), "parts": [*parts, {"text": text}]}
        return
    # In UTF-16, where a half counts as U+FFFD does, the two differ only at the start and the end.
    units = text.encode("utf-16-le")
    sizes = [len(piece.encode("utf-16-le", "surrogatepass")) for piece in texts]
    start, place = 0, max(len(units) - sum(sizes), 0)
    for part, size in zip(own, sizes, strict=True):
        place += size
        # A character belongs to the part that has its second half.
        end = place - 2 if units[place + 1 : place + 2] and 0xDC <= units[place + 1] <= 0xDF else place
        end = len(units) if part is own[-1] else min(max(start, end), len(units))
        part["text"] = units[start:end].decode("utf-16-le")
        start = end


def _list_parts(candidate: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _read_signature(part: _Part) -> str | None:
    """Return the signature of a thought as base64 with the standard alphabet."""
    signature = part.get("thoughtSignature")
    if not isinstance(signature, str) or not signature:
        return None
    data = _decode(signature)
    return base64.b64encode(data).decode("ascii") if data else None


def _decode(text: str) -> bytes | None:
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4))
    except ValueError:
        return None


def _read_text(found: Candidate, part: _Part, text: Any, signature: str | None, as_blocks: bool) -> None:
    if part.get("thought"):
        thought = {"type": "thinking", "thinking": part.get("text")}
        found.add({**thought, "signature": signature} if signature else thought)
    elif isinstance(text, str) and (text or signature):
        block: dict[str, Any] = {"type": "text", "text": text}
        if signature:
            block["extras"] = {"signature": signature}
        found.add(block if signature or as_blocks or found.has_thoughts else text)


def _read_code(found: Candidate, code: _Part, signature: str | None) -> None:
    if code.get("code") and code.get("language"):
        block = {"type": "executable_code", "executable_code": code["code"], "language": code["language"]}
        found.add({**block, "id": str(uuid4())})


def _read_result(found: Candidate, result: _Part, signature: str | None) -> None:
    if result.get("output"):
        outcome = 1 if result.get("outcome") in (None, "OUTCOME_OK") else 2
        block = {"type": "code_execution_result", "code_execution_result": result["output"], "outcome": outcome}
        found.add({**block, "tool_call_id": ""})


def _read_server_call(found: Candidate, call: _Part, signature: str | None) -> None:
    block: dict[str, Any] = {
        "type": "server_tool_call",
        "name": _server_tool_name(call),
        "id": call.get("id") or str(uuid4()),
        "args": _as_object(call.get("args")),
    }
    found.add({**block, "extras": {"signature": signature}} if signature else block)


def _read_server_result(found: Candidate, result: _Part, signature: str | None) -> None:
    extras = {"block_type": _server_tool_name(result), **({"signature": signature} if signature else {})}
    found.add(
        {
            "type": "server_tool_result",
            "tool_call_id": result.get("id") or "",
            "status": "success",
            "output": _as_object(result.get("response")),
            "extras": extras,
        }
    )


def _as_object(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _server_tool_name(value: _Part) -> str:
    tool_type = value.get("toolType")
    return tool_type.lower() if isinstance(tool_type, str) else MEDIA_PROCESSING


def _read_data(found: Candidate, data: _Part, signature: str | None) -> None:
    kind, encoded = data.get("mimeType"), data.get("data")
    if not isinstance(kind, str) or not isinstance(encoded, str) or not (raw := _decode(encoded)):
        return
    if kind.startswith("audio/"):
        found.kwargs["audio"] = _to_wave(raw)
    elif kind.startswith("image/"):
        url = f"data:{kind};base64,{base64.b64encode(raw).decode('ascii')}"
        block: dict[str, Any] = {"type": "image_url", "image_url": {"url": url}}
        found.add({**block, "extras": {"signature": signature}} if signature else block)


def _to_wave(samples: bytes) -> bytes:
    """Return samples of speech as a WAV file."""
    import io
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_SAMPLE_RATE)
        file.writeframes(samples)
    return buffer.getvalue()


def _read_call(found: Candidate, call: _Part, signature: str | None) -> None:
    args = call.get("args")
    name = call["name"] if isinstance(call.get("name"), str) else None
    text = json.dumps(_to_integers(args) if isinstance(args, Mapping) else {})
    call_id = str(call.get("id") or uuid4())
    found.kwargs["function_call"] = {"name": name, "arguments": text}
    found.calls.append((name, text, call_id))
    if signature:
        found.kwargs.setdefault(SIGNATURES, {})[call_id] = signature


def _to_integers(value: Any) -> Any:
    """Return a value of JSON whose floats without a fraction are integers: Gemini sends all numbers as floats."""
    if isinstance(value, Mapping):
        return {key: _to_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


_READERS: tuple[tuple[str, Callable[[Candidate, _Part, str | None], None]], ...] = (
    ("executableCode", _read_code),
    ("codeExecutionResult", _read_result),
    ("toolCall", _read_server_call),
    ("toolResponse", _read_server_result),
    ("inlineData", _read_data),
    ("functionCall", _read_call),
)
