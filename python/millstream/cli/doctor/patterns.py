"""Code that a change of imports does not change, or that slows a change down: one remark for each line."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ... import errors
from .clients import CLIENTS
from .names import Names, dotted
from .twins import KEPT_MODELS, MODELS, PACKAGES

__all__ = ("RULES", "Remark", "find_need_of_langchain", "find_patterns")


@dataclass(frozen=True, slots=True)
class Remark:
    """A line of a source, and what its author should know."""

    line: int
    rule: str
    text: str


class _Module:
    """A source as the rules see it."""

    def __init__(self, tree: ast.Module, names: Names) -> None:
        self.names = names
        self.nodes = list(ast.walk(tree))

    @cached_property
    def calls(self) -> list[ast.Call]:
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def uses_ours(self) -> bool:
        """Whether models of the package ``millstream`` itself are imported."""
        return any(path in (f"millstream.{name}" for name in MODELS) for path in self.names.paths())

    def library(self, node: ast.expr) -> str | None:
        """Return ``"langchain"`` or ``"millstream"`` for a Runnable of theirs or ours; the integrations' are theirs."""
        path = self.names.origin(node)
        if path is None:
            return None
        if path.endswith(".from_langchain"):
            return "millstream"
        if path.startswith(("langchain", "langgraph", "millstream.integrations.langchain.")):
            return "langchain"
        return "millstream" if _is_ours(path) else None

    def models(self) -> Iterator[tuple[ast.Call, str]]:
        """Yield the calls that make a model, and the models' paths."""
        for call in self.calls:
            path = self.names.path(call.func)
            module, _, name = (path or "").rpartition(".")
            if path is not None and name in KEPT_MODELS and module.startswith(("langchain", "millstream")):
                yield call, path


def _is_ours(path: str) -> bool:
    """Return whether ``path`` is one of the package's own Runnables: the integrations' are their hosts'."""
    return path.startswith("millstream.") and not path.startswith("millstream.integrations.")


def find_patterns(tree: ast.Module, names: Names) -> list[Remark]:
    """Return the remarks of all rules, in the order of their lines."""
    module = _Module(tree, names)
    found = [Remark(line, rule, text) for rule, find in RULES.items() for line, text in dict.fromkeys(find(module))]
    return sorted(found, key=lambda remark: (remark.line, remark.rule))


# What to catch where it does not have the name that the SDK's exception has.
_EXCEPTIONS = {
    "APIError": "APIError and millstream.StreamError",
    "APIResponseValidationError": "StreamDecodeError",
    "ContentFilterFinishReasonError": "ContentFilterError",
    "LengthFinishReasonError": "TruncatedOutputError",
}


def _except_openai(module: _Module) -> Iterator[tuple[int, str]]:
    """Report exceptions of the SDK's, in ``except`` and elsewhere; not beside one of Millstream's in a tuple."""
    path = module.names.path
    tuples = [node.elts for node in module.nodes if isinstance(node, ast.Tuple)]
    of_both = {id(part) for parts in tuples if any(map(_is_ours, filter(None, map(path, parts)))) for part in parts}
    for node in module.nodes:
        if not isinstance(node, (ast.Name, ast.Attribute)) or not isinstance(node.ctx, ast.Load) or id(node) in of_both:
            continue
        library, _, name = (path(node) or "").rpartition(".")
        if library != "openai" or not name.endswith("Error"):
            continue
        ours = _EXCEPTIONS.get(name, name if name in errors.__all__ else "MillstreamError")
        if module.uses_ours:
            yield node.lineno, f"openai.{name} catches nothing of Millstream's own models: catch millstream.{ours}"
        elif _mentions_langchain(module):
            yield node.lineno, f"{_IF_IT_LEAVES}, catch millstream.{ours}"


_IF_IT_LEAVES = "unchanged if the app keeps LangChain; if it leaves"


def _response_of_an_error(module: _Module) -> Iterator[tuple[int, str]]:
    """Report ``error.response``, which exceptions of Millstream's do not have."""
    handlers = [node for node in module.nodes if isinstance(node, ast.ExceptHandler) and node.name and node.type]
    for handler in handlers:
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        paths = [module.names.path(kind) or "" for kind in types if kind is not None]
        if not any(_is_ours(path) or path.startswith("openai.") for path in paths):
            continue
        for node in ast.walk(handler):
            if isinstance(node, ast.Attribute) and dotted(node) == f"{handler.name}.response":
                text = f"write {handler.name}.headers, {handler.name}.status_code or {handler.name}.body"
                if module.uses_ours:
                    yield node.lineno, f"Millstream's exceptions have no response: {text}"
                elif _mentions_langchain(module):
                    yield node.lineno, f"{_IF_IT_LEAVES}, {text}"


def _mentions_langchain(module: _Module) -> bool:
    return any(path.startswith(PACKAGES) for path in module.names.paths())


def _custom_client(module: _Module) -> Iterator[tuple[int, str]]:
    for call, _ in module.models():
        for keyword in call.keywords:
            if isinstance(keyword.value, ast.Constant):
                continue
            if keyword.arg in ("http_client", "http_async_client"):
                yield call.lineno, f"{keyword.arg}= is used for all requests: the gain of the native transport is lost"
            elif keyword.arg in ("client", "async_client", "root_client", "root_async_client"):
                yield call.lineno, f"{keyword.arg}= leaves each request to that client: LangChain's own code runs"


def _mixed_chain(module: _Module) -> Iterator[tuple[int, str]]:
    for node in module.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            left, right = module.library(node.left), module.library(node.right)
            if (left, right) == ("langchain", "millstream"):
                yield (
                    node.lineno,
                    "a chain of LangChain's with a step of Millstream's: its messages are not LangChain's; "
                    "write to_langchain(step), or import all steps from one of the two",
                )


# Libraries that work with LangChain's own objects alone.
_NEED_LANGCHAIN = (
    *("langgraph", "langserve", "deepagents", "langchain.agents", "langchain.chains"),
    *("langchain_classic.agents", "langchain_classic.chains"),
)
# Functions whose model has to be LangChain's.
_AGENTS = {"langchain.agents.create_agent", "langgraph.prebuilt.create_react_agent"}


def _agent(module: _Module) -> Iterator[tuple[int, str]]:
    for call in module.calls:
        path = module.names.path(call.func)
        values = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "model")]
        if path in _AGENTS and any(module.library(value) == "millstream" for value in values):
            name = path.rpartition(".")[2]
            yield call.lineno, f"{name} needs LangChain's messages: use the model of millstream.integrations.langchain"


def find_need_of_langchain(names: Names) -> tuple[int, str] | None:
    """Return the line of the first import whose library needs LangChain's messages and Runnables, and its name."""
    for found in names.imports:
        for name in _NEED_LANGCHAIN:
            if f"{found.module}.".startswith(f"{name}.") or found.module.startswith(f"{name}_"):
                return found.node.lineno, name
    return None


def _needs_langchain(module: _Module) -> Iterator[tuple[int, str]]:
    need = find_need_of_langchain(module.names)
    paths = module.names.paths()
    if need and any(path.startswith(("langchain_core", *PACKAGES)) or _is_ours(path) for path in paths):
        yield need[0], f"{need[1]} needs LangChain's messages and Runnables: keep LangChain in the apps that use it"


_LANGCHAIN = ("langchain", "millstream.integrations.langchain")
_CALLS = {"abatch", "ainvoke", "astream", "astream_events", "batch", "invoke", "stream", "with_config"}


def _configures_callbacks(call: ast.Call) -> bool:
    """Return whether a method of a Runnable is called with a configuration that has callbacks."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _CALLS:
        return False
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    keys = [key for value in values if isinstance(value, ast.Dict) for key in value.keys]
    return any(isinstance(key, ast.Constant) and key.value == "callbacks" for key in keys)


_SLOW = "adds a handler to each run: its callbacks take most of a chunk's time"


def _handlers(module: _Module) -> Iterator[tuple[int, str]]:
    for call, path in module.models():
        for keyword in call.keywords:
            is_on = not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
            if keyword.arg in ("callbacks", "verbose") and is_on and not _is_ours(path):
                yield call.lineno, f"{keyword.arg}= {_SLOW}"
    for call in module.calls:
        path = module.names.path(call.func) or ""
        name = path.rpartition(".")[2]
        if _configures_callbacks(call) and any(path.startswith(_LANGCHAIN) for path in module.names.paths()):
            yield call.lineno, f'"callbacks" in the configuration {_SLOW}'
        if path.startswith("langchain") and name in ("set_debug", "set_verbose"):
            yield call.lineno, f"{name} {_SLOW}"


def _overrides_stream(module: _Module) -> Iterator[tuple[int, str]]:
    for node in module.nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        if not any((module.names.path(base) or "").startswith(PACKAGES) for base in node.bases):
            continue
        methods = [part.name for part in node.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))]
        for name in methods:
            if name in ("_stream", "_astream", "_convert_chunk_to_generation_chunk"):
                text = f"{node.name} overrides {name}: its streams run in LangChain's own code, without a gain"
                yield node.lineno, text


# The providers of LangChain's names that have a class here, and the beginnings of their models' names.
_NAMED = {
    "anthropic": ("ChatAnthropic", ("claude",)),
    "google_genai": ("ChatGoogleGenerativeAI", ()),
    "ollama": ("ChatOllama", ()),
    "openai": ("ChatOpenAI", ("gpt-", "chatgpt-", "o1", "o3", "o4")),
}


def _sdk_subclass(module: _Module) -> Iterator[tuple[int, str]]:
    for node in module.nodes:
        if isinstance(node, ast.ClassDef) and any(module.names.path(base) in CLIENTS for base in node.bases):
            text = "accelerate takes the SDK's own clients alone: it refuses this subclass; decode reads its responses"
            yield node.lineno, text


def _by_name(module: _Module) -> Iterator[tuple[int, str]]:
    for call in module.calls:
        path = module.names.path(call.func) or ""
        function = path.rpartition(".")[2]
        if path not in _AGENTS and not (function == "init_chat_model" and path.startswith("langchain")):
            continue
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        name, provider = _text(call.args[0] if call.args else given.get("model")), _text(given.get("model_provider"))
        if name and (found := _find_class(name, provider)) is not None:
            verb = "pass" if path in _AGENTS else "write"
            package = f"langchain_{found[0]}"
            yield call.lineno, f'{function} makes the class of {package}: {verb} {found[1]}(model="{found[2]}")'


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _find_class(name: str, provider: str) -> tuple[str, str, str] | None:
    """Return the provider, the class and the model of a name in LangChain's functions, if the class has a twin."""
    before, _, model = name.partition(":")
    if not provider and before in _NAMED:
        name, provider = model, before
    if not provider:
        provider = next((of for of, (_, begins) in _NAMED.items() if begins and name.startswith(begins)), "")
    return (provider, _NAMED[provider][0], name) if provider in _NAMED else None


def _by_hand(module: _Module) -> Iterator[tuple[int, str]]:
    methods = [(call, call.func.attr) for call in module.calls if isinstance(call.func, ast.Attribute)]
    if not any(name in ("iter_lines", "aiter_lines") for _, name in methods):
        return
    for call, name in methods:
        text = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if name in ("startswith", "removeprefix") and text in ("data:", "data: ", b"data:", b"data: "):
            yield (
                call.lineno,
                "events read by hand: millstream.integrations.responses has iter_sse(response), and decode for text",
            )


RULES: dict[str, Callable[[_Module], Iterator[tuple[int, str]]]] = {
    "agent": _agent,
    "by-hand": _by_hand,
    "by-name": _by_name,
    "custom-client": _custom_client,
    "error-response": _response_of_an_error,
    "except-openai": _except_openai,
    "handlers": _handlers,
    "mixed-chain": _mixed_chain,
    "needs-langchain": _needs_langchain,
    "overrides": _overrides_stream,
    "sdk-subclass": _sdk_subclass,
}
"""The rules: each yields lines, and what is to be known of them."""
