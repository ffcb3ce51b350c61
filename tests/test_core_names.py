"""The two halves name things alike: what one has a name for, the other has too, or it says here why not."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RUST, PYTHON = ROOT / "src", ROOT / "python" / "millstream" / "_pure"

pytestmark = pytest.mark.skipif(not RUST.is_dir(), reason="the sources of the core are not here")

MODULES = {
    "lines": (["lines"], ["lines"]),
    "frames": (["block", "frames"], ["frames"]),
    "sse": (["sse"], ["sse"]),
    "text": (["text", "utf8"], ["text", "utf8"]),
    "decode": (
        ["decode", "payload", "ending", "format", "record"],
        ["decode", "decoder_outputs", "decoder_state", "ending", "payload", "kept_text", "sniff"],
    ),
    "seen": (["seen"], ["seen"]),
    "partial": (["json/partial", "json/tape", "json/changes", "json/numbers"], ["partial", "tape", "changes"]),
    "delta": (
        ["delta/sink", "delta/output", "delta/openai", "delta/message", "delta/values", "delta/choices", "delta/tools"],
        ["delta/__init__", "delta/openai", "delta/choices", "delta/tools"],
    ),
    "wire": (
        [f"wire/{path.stem}" for path in sorted(RUST.glob("wire/*.rs"))],
        [f"wire/{path.stem}" for path in sorted(PYTHON.glob("wire/*.py"))],
    ),
}


# For each module, what Rust alone has a name for, and what Python alone has: by the reason.
Reasons = dict[str, str]
ALONE: dict[str, tuple[Reasons, Reasons]] = {
    "lines": (
        {
            "Rust takes one line at a time out of the data": "Line NextLine next skip held line_offset",
            "Rust hands its buffer over": "carried swap_carry take_carried take_unfinished unfinished",
        },
        {"Python returns all lines of a read": "feed finish"},
    ),
    "frames": (
        {
            "Rust takes one frame at a time out of the data": "Frame NextFrame frame line line_offset next skip clear",
            "Python cuts ordinary frames all at once": "only_data",
            "Rust hands a large buffer over": "Large held take_data take_over data_start_in is_in_value",
            "Python has attributes, or joins a list": "data_offset head size",
            "Python writes the type of a callable out": "IsError",
        },
        {
            "Python returns all frames of a read": "feed grow can_be_cut take_ordinary",
            "Python decodes a large event as it comes": "Taken",
            "Rust has an error with a message": "too_large_message",
            "Rust asks the lines": "offset",
        },
    ),
    "sse": (
        {
            "the class of Python is in src/py/encode.rs": "EncodeError Fields encode",
            "Rust hands events to a sink": "EventSink held take_begun",
            "Python cuts ordinary frames all at once": "feed_one",
            "Python counts in an attribute": "events_seen",
        },
        {"the class of Rust is in src/py/event.rs and src/py/encode.rs": "ServerSentEvent data id json encode_sse"},
    ),
    "text": (
        {
            "Python decodes by the codec of the standard library": "Errors InvalidUtf8 Utf8Decoder decode",
            "Python joins halves by a regular expression": "Held Joiner finish push push_str feed_codes",
        },
        {
            "Python joins halves by a regular expression": "is_high join_surrogates",
            "the property of Rust is in src/py/text.rs": "failure",
        },
    ),
    "decode": (
        {
            "Python has a table of formats": "Framing all family framing from_name is_to_be_found name set_format",
            "Rust compares payloads with known ones": "read_known without_comparison",
            "Python reads a payload in one method": (
                "hand_out is_open is_plain provider_error report_news settle wanted"
            ),
            "Python takes an argument": "of_one_choice",
            "Rust writes records into a buffer": "Records bytes take_buffer with_buffer",
            "the property of Python is text_complete": "has_whole_text",
        },
        {
            "the methods of Rust are in src/py/decode.rs": (
                "DecoderOutputs feed_text close_text feed_records close_records check_kind write_records"
            ),
            "the properties of Rust are in src/py/decode.rs": "DecoderState text_complete",
            "Rust keeps text in delta/output.rs": "complete kept",
            "Rust has the methods of a type in several files": "PayloadReader",
            "Rust sniffs in a method": "Sniffer",
            "Rust has an error with a message": "fail_too_large make_failure",
            "Rust counts in a field": "frames",
            "the methods for payloads of Rust are in src/py/decode.rs": "close_payloads feed_payloads",
            "Python knows the units of other framings": "is_json read_unit",
        },
    ),
    "seen": (
        {"Python has a tuple, and words": "Foreign Missing", "Python asks the families": "format_of_body"},
        {"the words of Rust are in src/py/convert.rs, and the decoder finds what is missing": "describe note_missing"},
    ),
    "partial": (
        {
            "Python has dicts, and classes of tokens": "Change ChangeValue name Scalar Tape TokenKind kind",
            "Python appends to a list": "extend push grows len is_empty end start string writer tape",
            "Python has a table of a number's parts": "NumberPart first next is_whole read_number equal",
            "a str of Python has halves among its characters": "feed_codes",
            "Rust must ask the interpreter outside of its lock": "needs_max_digits reported_long_number",
        },
        {
            "the members of Rust are in src/py/partial.rs": "diff failure started",
            "Rust has an enum of tokens": "Number add finish since",
        },
    ),
    "delta": (
        {
            "Python reads values, Rust text": (
                "Content Function Message Part PartKind ResponseInfo Settled ToolCall append array count_parts "
                "error_string members_of object piece positioned push_part set_reasoning set_text settle_parts some "
                "tool_call whole"
            ),
            "Rust hands deltas to a sink": "Sink Output hand_out_text hand_out_usage take_increment take_known",
            "Python keeps text in kept_text.py, and counts in payload.py": (
                "contents_seen has_content has_only_text has_only_text_and_role first_text has_whole_text is_empty "
                "keep_all kept_logprobs kept_text"
            ),
            "Python keeps halves in a dict": "HeldArguments",
        },
        {
            "the properties of Rust are in src/py/delta.rs": "args audio id index logprobs name role",
            "Rust has an enum of limits": "LimitPassedError",
            "Rust compares payloads with known ones": (
                "find_arguments find_text read_arguments take_arguments text_delta"
            ),
            "Python reads values, Rust text": "Reading fail read_error refusal release",
            "Python has a class for each family of formats": "find_choices_format info",
        },
    ),
    "wire": (
        {
            "Python joins the members of an object": (
                "Array Json Object array json more number object some some_number some_string value write_event "
                "write_number"
            ),
            "Python has tables, tuples and dicts": (
                "ChoiceFormat Counts Item Kind Settings Unsupported WireName are_unknown check find from_name"
            ),
            "the classes of Python end in Wire": "Chat Completions PartWire",
            "Rust copies what the records of pieces have in common": (
                "Numbered PieceRecord begin_event next_number take_text"
            ),
            "Python sets an attribute": "response_info",
        },
        {
            "the classes of Python end in Wire": "ChatWire CompletionsWire",
            "the methods of Rust are in src/py/wire_writer.rs": (
                "write_data write_snapshot write_source write_text write_tool_result"
            ),
            "Rust compacts JSON in src/json/compact.rs": "compact_json kept_json kept_text valid_json",
            "Rust has fields, and a type of counts": "args end_step find_counts",
        },
    ),
}


def in_rust(module: str) -> dict[str, bool]:
    """Return the names of the types and functions of a Rust module, and whether they are public."""
    text = re.sub(r"//.*", "", (RUST / f"{module}.rs").read_text()).split("#[cfg(test)]")[0]
    found = re.findall(r"^ *(pub(?:\([^)]*\))? )?(?:struct|enum|trait|type|fn) (\w+)", text, re.M)
    return {name: bool(public) for public, name in found if name != "new"}


def in_python(module: str) -> dict[str, bool]:
    """Return the names of the classes, functions and methods of a Python module, and whether they are public."""
    nodes = list(ast.parse((PYTHON / f"{module}.py").read_text()).body)
    nodes += [inner for node in nodes if isinstance(node, ast.ClassDef) for inner in node.body]
    found = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return {name.lstrip("_"): not name.startswith("_") for name in found if not name.endswith("__")}


def plain(name: str) -> str:
    """Return ``name`` without what the languages' conventions make of it."""
    return re.sub(r"^(is|has)_", "", name).lower().replace("_", "")


def public(names: dict[str, bool]) -> set[str]:
    return {name for name, is_public in names.items() if is_public}


@pytest.mark.parametrize("module", MODULES)
def test_a_name_of_one_half_is_one_of_the_other(module: str) -> None:
    rust: dict[str, bool] = {}
    python: dict[str, bool] = {}
    for name in MODULES[module][0]:
        rust |= in_rust(name)
    for name in MODULES[module][1]:
        python |= in_python(name)
    in_both = {plain(name) for name in rust} & {plain(name) for name in python}
    alone = [{name for name in public(names) if plain(name) not in in_both} for names in (rust, python)]
    known = [{name for names in reasons.values() for name in names.split()} for reasons in ALONE[module]]
    assert alone == known
