"""The twins are one API: equal names, signatures, docstrings, reprs, equality, hashes and pickles."""

import copy
import doctest
import inspect
import pickle
from types import ModuleType
from typing import Any

import pytest

import millstream
from streams import Halves, attempt, by_field

CLASSES = {
    "SSEParser": {"close", "failure", "feed", "last_event_id", "retry", "truncated"},
    "ServerSentEvent": {"data", "event", "id", "json", "retry"},
    "TextAssembler": {"close", "failure", "feed"},
    "JSONAssembler": {"close", "complete", "diff", "failure", "feed", "started", "value"},
    "StreamDecoder": {
        *("close", "close_records", "close_text", "deltas_seen", "done", "ended", "error", "failure"),
        *("close_payloads", "feed", "feed_payloads", "feed_records", "feed_text"),
        *("finish_reason", "format", "seen", "text", "text_complete", "usage"),
    },
    "Delta": {
        *("audio", "error", "finish_reason", "index", "logprobs", "reasoning", "refusal", "role", "text"),
        *("tool_calls", "usage"),
    },
    "ToolCallDelta": {"args", "id", "index", "name"},
}
MEMBERS = [(name, member) for name, members in CLASSES.items() for member in sorted(members)]
READERS = [("SSEParser", ()), ("TextAssembler", ()), ("JSONAssembler", ()), ("StreamDecoder", ("openai.chat",))]
FIELDS: dict[str, tuple[str, ...]] = {
    "ServerSentEvent": ("event", "data", "id", "retry"),
    "Delta": (
        *("index", "role", "text", "reasoning", "refusal", "tool_calls"),
        *("finish_reason", "usage", "error", "logprobs", "audio"),
    ),
    "ToolCallDelta": ("index", "id", "name", "args"),
}
DEFAULTS: dict[str, list[Any]] = {
    "ServerSentEvent": ["message", "", "", None],
    "Delta": [0, None, None, None, None, (), None, None, None, None, None],
    "ToolCallDelta": [0, None, None, None],
}


def shape(signature: inspect.Signature, method: bool = False) -> list[tuple[str, Any, Any]]:
    """Return the names, kinds and defaults of a signature; annotations are the Python half's alone."""
    parameters = [(item.name, item.kind, item.default) for item in signature.parameters.values()]
    return parameters[1:] if method else parameters


def values(half: Any) -> list[Any]:
    """Return values of every class, alike in both halves."""
    call = half.ToolCallDelta(1, "call_a", "f", '{"a":1}')
    events = [half.ServerSentEvent(), half.ServerSentEvent("e", "d\n'", "7", 5), half.ServerSentEvent(data='\u00e9"')]
    calls = [half.ToolCallDelta(), call, half.ToolCallDelta(args="")]
    choice = b'{"delta":{"role":"r","content":"t","tool_calls":[{"index":0,"id":"i"}]},"logprobs":{"a":["\xc3\xa9"]}}'
    body = b'data: {"choices":[%s],"usage":{"n":1},"error":{"message":"m","code":null}}\n\n' % choice
    made = half.StreamDecoder("openai.chat").feed(body)
    deltas = [
        half.Delta(),
        half.Delta(2, "r", "t", "s", "x", (call,), "stop", {"n": 1}, {"message": "m"}, {"a": [1]}, {"b": 1}),
    ]
    return [*events, *calls, *deltas, *made]


def test_every_public_name_resolves() -> None:
    assert len(set(millstream.__all__)) == len(millstream.__all__)
    for name in millstream.__all__:
        assert getattr(millstream, name) is not None
        assert name in dir(millstream)
    assert {*CLASSES, "BACKEND", "encode_sse"} <= set(millstream.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Event'"):
        millstream.Event  # noqa: B018


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_exactly_its_public_names(impl: ModuleType, name: str) -> None:
    found = {member for member in dir(getattr(impl, name)) if not member.startswith("_")}
    assert found == CLASSES[name]


@pytest.mark.parametrize("name", [*CLASSES, "encode_sse"])
def test_the_twins_say_where_they_live_and_what_they_take(halves: Halves, name: str) -> None:
    rust, python = (getattr(half, name) for half in halves)
    assert (rust.__module__, rust.__name__, rust.__qualname__) == ("millstream", name, name)
    assert (python.__module__, python.__name__, python.__qualname__) == ("millstream", name, name)
    assert shape(inspect.signature(rust)) == shape(inspect.signature(python))
    assert inspect.getdoc(python)
    assert inspect.getdoc(rust) == inspect.getdoc(python)
    assert getattr(rust, "__match_args__", None) == getattr(python, "__match_args__", None) == FIELDS.get(name)


@pytest.mark.parametrize(("name", "member"), MEMBERS)
def test_the_members_of_the_twins_are_alike(halves: Halves, name: str, member: str) -> None:
    rust, python = (getattr(getattr(half, name), member) for half in halves)
    assert inspect.getdoc(python)
    assert inspect.getdoc(rust) == inspect.getdoc(python)
    assert callable(rust) is callable(python)
    if callable(python):
        assert (rust.__name__, rust.__qualname__) == (python.__name__, python.__qualname__)
        assert shape(inspect.signature(rust), method=True) == shape(inspect.signature(python), method=True)


@pytest.mark.parametrize("name", [*CLASSES, "encode_sse"])
def test_the_examples_in_docstrings_are_true(impl: ModuleType, name: str) -> None:
    text = inspect.getdoc(getattr(impl, name)) or ""
    example = text.replace("from millstream import", f"from {impl.__name__} import")
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(example, {}, name, None, None))
    assert runner.summarize(verbose=False).failed == 0
    assert runner.tries > 0


@pytest.mark.parametrize("name", FIELDS)
def test_value_classes_take_their_fields_in_order_or_by_name(impl: ModuleType, name: str) -> None:
    made = getattr(impl, name)
    signature = inspect.signature(made)
    assert [*signature.parameters] == list(FIELDS[name])
    assert [item.default for item in signature.parameters.values()] == DEFAULTS[name]
    blank = made()
    assert [getattr(blank, field) for field in FIELDS[name]] == DEFAULTS[name]
    assert made(**dict(zip(FIELDS[name], DEFAULTS[name], strict=True))) == made(*DEFAULTS[name]) == blank


def test_values_print_alike(halves: Halves) -> None:
    assert list(map(repr, values(halves.rust))) == list(map(repr, values(halves.python)))


def test_values_print_as_they_are_made(impl: ModuleType) -> None:
    assert repr(impl.ServerSentEvent("e", "d", "7", 5)) == "ServerSentEvent(event='e', data='d', id='7', retry=5)"
    assert repr(impl.ToolCallDelta(1, "i")) == "ToolCallDelta(index=1, id='i', name=None, args=None)"
    begin = "Delta(index=2, role=None, text='t', reasoning=None, refusal=None, tool_calls="
    shown = f"{begin}({impl.ToolCallDelta()!r},), finish_reason=None, usage={{'n': 1}}, error=None, logprobs=None"
    shown += ", audio=None)"
    assert repr(impl.Delta(2, text="t", tool_calls=(impl.ToolCallDelta(),), usage={"n": 1})) == shown
    for value in values(impl):
        assert eval(repr(value), vars(impl)) == value


def test_values_compare_by_field(impl: ModuleType) -> None:
    made, again = values(impl), values(impl)
    for i, value in enumerate(made):
        for j, other in enumerate(again):
            assert (value == other) is (i == j)
            assert (value != other) is (i != j)
        assert value != by_field(value)
        assert value.__eq__(object()) is NotImplemented
        with pytest.raises(TypeError):
            value < value  # noqa: B015


def test_values_hash_alike(halves: Halves) -> None:
    for rust, python in zip(values(halves.rust), values(halves.python), strict=True):
        assert hash(rust) == hash(python)
        assert rust in {rust}
    for half in halves:
        assert list(map(hash, values(half))) == list(map(hash, values(half)))


def test_values_of_one_half_are_not_those_of_the_other(halves: Halves) -> None:
    for rust, python in zip(values(halves.rust), values(halves.python), strict=True):
        assert by_field(rust) == by_field(python)
        assert rust != python


def test_values_are_immutable(impl: ModuleType) -> None:
    for value in values(impl):
        message = f"{type(value).__name__} is immutable"
        for name in (type(value).__match_args__[0], "other"):
            with pytest.raises(AttributeError) as caught:
                setattr(value, name, 1)
            assert str(caught.value) == message
            with pytest.raises(AttributeError) as caught:
                delattr(value, name)
            assert str(caught.value) == message


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_hold_names_and_come_back_as_the_half_that_runs(impl: ModuleType, protocol: int) -> None:
    for value in values(impl):
        pickled = pickle.dumps(value, protocol)
        assert b"_core" not in pickled
        assert b"_pure" not in pickled
        back = pickle.loads(pickled)
        assert type(back) is getattr(millstream, type(value).__name__)
        assert by_field(back) == by_field(value)


def test_pickles_of_the_twins_are_equal(halves: Halves) -> None:
    for rust, python in zip(values(halves.rust), values(halves.python), strict=True):
        (rust_call, rust_args), (python_call, python_args) = rust.__reduce__(), python.__reduce__()
        assert rust_call is python_call
        assert by_field(rust_args) == by_field(python_args)
        assert rust_args[0] == type(rust).__name__


def test_values_can_be_copied(impl: ModuleType) -> None:
    for value in values(impl):
        assert by_field(copy.copy(value)) == by_field(copy.deepcopy(value)) == by_field(value)


def test_values_match_by_position(impl: ModuleType) -> None:
    delta_class, call_class = impl.Delta, impl.ToolCallDelta
    match impl.Delta(1, tool_calls=(impl.ToolCallDelta(0, "i"),)):
        case delta_class(1, None, None, None, None, (call_class(0, name),)):
            assert name == "i"
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize(("name", "arguments"), READERS)
def test_readers_print_alike_and_do_not_pickle(impl: ModuleType, name: str, arguments: tuple[Any, ...]) -> None:
    reader = getattr(impl, name)(*arguments)
    assert repr(reader) == f"<millstream.{' '.join([name, *map(repr, arguments)])}>"
    for call in (lambda: pickle.dumps(reader), lambda: copy.copy(reader), lambda: copy.deepcopy(reader)):
        assert attempt(call) == {"type": "TypeError", "message": f"{name} objects cannot be pickled"}
    assert reader.failure is None


@pytest.mark.parametrize(("name", "member"), [pair for pair in MEMBERS if pair[0] not in FIELDS])
def test_properties_of_readers_cannot_be_set(halves: Halves, name: str, member: str) -> None:
    for half in halves:
        reader = getattr(half, name)(*dict(READERS)[name])
        with pytest.raises(AttributeError):
            setattr(reader, member, 1)
    with pytest.raises(AttributeError):
        reader.something_else = 1


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_that_one_half_lets_be_extended_the_other_does_too(halves: Halves, name: str) -> None:
    rust, python = (attempt(type, "Sub", (getattr(half, name),), {}) for half in halves)
    assert isinstance(rust, type) is isinstance(python, type)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("ServerSentEvent", {"data": b"x"}, "ServerSentEvent: data must be str, not bytes"),
    ("ServerSentEvent", {"event": None}, "ServerSentEvent: event must be str, not NoneType"),
    ("ServerSentEvent", {"retry": -1}, "ServerSentEvent: retry must be from 0 to 18446744073709551615, not -1"),
    ("ToolCallDelta", {"index": True}, "ToolCallDelta: index must be int, not bool"),
    ("ToolCallDelta", {"args": 5}, "ToolCallDelta: args must be str or None, not int"),
    ("Delta", {"index": 2**32}, "Delta: index must be from 0 to 4294967295, not 4294967296"),
    ("Delta", {"role": 5}, "Delta: role must be str or None, not int"),
    ("Delta", {"tool_calls": []}, "Delta: tool_calls must be tuple, not list"),
    ("Delta", {"usage": "x"}, "Delta: usage must be mapping or None, not str"),
]


@pytest.mark.parametrize(("name", "fields", "message"), WRONG)
def test_a_value_refuses_fields_of_the_wrong_kind(
    impl: ModuleType, name: str, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError if "from 0" in message else TypeError) as caught:
        getattr(impl, name)(**fields)
    assert str(caught.value) == message


IMPORTS = """
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAI
from langchain_core.language_models import BaseChatModel, BaseLanguageModel, BaseLLM, LanguageModelInput
from langchain_core.language_models import SimpleChatModel
from langchain_core.language_models import FakeListChatModel, FakeListLLM, FakeMessagesListChatModel
from langchain_core.language_models import FakeStreamingListLLM, GenericFakeChatModel, ParrotFakeChatModel
from langchain_core.language_models.chat_models import BaseChatModel, SimpleChatModel
from langchain_core.language_models.fake import FakeListLLM, FakeStreamingListLLM
from langchain_core.language_models.fake_chat_models import FakeChatModel, FakeListChatModel, GenericFakeChatModel
from langchain_core.language_models.llms import LLM, BaseLLM
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, Generation, LLMResult
from langchain_core.outputs.chat_generation import ChatGeneration, ChatGenerationChunk, merge_chat_generation_chunks
from langchain_core.outputs.chat_result import ChatResult
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, JsonOutputToolsParser
from langchain_core.output_parsers.openai_tools import PydanticToolsParser
from langchain_core.output_parsers.pydantic import PydanticOutputParser
from langchain_core.callbacks import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
from langchain_core.callbacks.manager import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
from langchain_core.callbacks import AsyncCallbackManagerForToolRun, CallbackManagerForRetrieverRun
from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event, get_usage_metadata_callback
from langchain_core.callbacks.file import FileCallbackHandler
from langchain_core.callbacks.manager import adispatch_custom_event, dispatch_custom_event, handle_event
from langchain_core.callbacks.manager import AsyncCallbackManagerForToolRun, CallbackManagerForRetrieverRun
from langchain_core.callbacks.manager import atrace_as_chain_group, trace_as_chain_group
from langchain_core.callbacks.stdout import StdOutCallbackHandler
from langchain_core.callbacks.usage import UsageMetadataCallbackHandler, get_usage_metadata_callback
from langchain_core.documents import BaseDocumentCompressor, BaseDocumentTransformer, Document
from langchain_core.documents.base import BaseMedia, Blob, Document
from langchain_core.documents.compressor import BaseDocumentCompressor
from langchain_core.documents.transformers import BaseDocumentTransformer
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.retrievers import BaseRetriever, RetrieverInput, RetrieverLike, RetrieverOutput, RetrieverOutputLike
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig, RunnableLambda, RunnableSequence
from langchain_core.runnables import chain, ensure_config, get_config_list, patch_config, run_in_executor
from langchain_core.runnables.base import Runnable, RunnableBinding, RunnableLambda, RunnableSequence
from langchain_core.runnables.base import RunnableSerializable, coerce_to_runnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables import ConfigurableField, ConfigurableFieldSpec, RunnableWithFallbacks
from langchain_core.runnables import ConfigurableFieldMultiOption, ConfigurableFieldSingleOption
from langchain_core.runnables import RunnableWithMessageHistory
from langchain_core.runnables.configurable import DynamicRunnable, RunnableConfigurableAlternatives
from langchain_core.runnables.configurable import RunnableConfigurableFields, make_options_spec, prefix_config_spec
from langchain_core.runnables.fallbacks import RunnableWithFallbacks
from langchain_core.runnables.history import GetSessionHistoryCallable, MessagesOrDictWithMessages
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.runnables.retry import ExponentialJitterParams, RunnableRetry
from langchain_core.chat_history import BaseChatMessageHistory, InMemoryChatMessageHistory
from langchain_core.runnables.config import RunnableConfig, ensure_config, merge_configs, patch_config, run_in_executor
from langchain_core.tools import FILTERED_ARGS, ArgsSchema, BaseTool, BaseToolkit, StructuredTool, Tool, tool
from langchain_core.tools import InjectedToolArg, InjectedToolCallId, SchemaAnnotationError, ToolException
from langchain_core.tools import RetrieverInput, create_retriever_tool, create_schema_from_function
from langchain_core.tools import ToolsRenderer, render_text_description, render_text_description_and_args
from langchain_core.tools import _get_runnable_config_param, convert_runnable_to_tool
from langchain_core.tools.base import ArgsSchema, BaseTool, BaseToolkit, InjectedToolArg, InjectedToolCallId
from langchain_core.tools.base import SchemaAnnotationError, ToolException, create_schema_from_function
from langchain_core.tools.convert import convert_runnable_to_tool, tool
from langchain_core.tools.render import ToolsRenderer, render_text_description, render_text_description_and_args
from langchain_core.tools.retriever import RetrieverInput, create_retriever_tool
from langchain_core.tools.simple import Tool
from langchain_core.tools.structured import StructuredTool
from langchain_core.utils.function_calling import FunctionDescription, ToolDescription
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_function
from langchain_core.utils.function_calling import convert_to_openai_tool, tool_example_to_messages
"""


@pytest.mark.parametrize("line", IMPORTS.split("\n")[1:-1])
def test_import_lines_work_with_the_packages_name_replaced(line: str) -> None:
    exec(line.replace("langchain_core", "millstream").replace("langchain_openai", "millstream"), {})
