"""One suite for both halves of the core: a test that takes ``impl`` runs on each of them.

A missing native core fails the run, because a suite that quietly tests half of its subject is
worse than none; ``--no-native`` says that this is meant.
"""

import gc
import os
import re
import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from certificates import trust_one
from streams import Halves

if TYPE_CHECKING:
    import openai

    from millstream.testing import MockServer
    from millstream.transport.native import NativeTransport

trust_one()

# What is about models and the network runs over both transports, as if every user had asked for each.
OVER_BOTH_TRANSPORTS = {
    "test_event_stream_response",
    "test_events",
    "test_leaving",
    "test_llm",
    "test_openai",
    "test_openai_made",
    "test_openai_requests",
    "test_records",
    "test_relay",
    "test_request_lines",
    "test_retries",
    "test_transport",
    "test_wire_faults",
}

# Two thirds of the suite's time: what runs every vector, split or place to leave at, and what runs other programs.
SLOW = {
    *("test_add_routes_left", "test_add_routes_trees", "test_langserve_clients", "test_remote_runnable_resumed"),
    *("test_any_attempts_left", "test_any_composition_left", "test_apps_chains", "test_apps_left"),
    *("test_apps_observed", "test_apps_served", "test_apps_switches", "test_attempt_compositions"),
    *("test_bench_against", "test_bench_apps", "test_bench_fixtures", "test_bench_groups", "test_bench_server"),
    *("test_bench_transport", "test_bench_walks", "test_block_translators_random"),
    *("test_chat_events", "test_chat_openai"),
    *("test_decoder_parts", "test_decoder_records", "test_failures", "test_growth", "test_growth_formats"),
    *("test_formats", "test_formats_aws", "test_formats_framings", "test_formats_payloads", "test_formats_random"),
    *("test_leaks_at_once", "test_leaving", "test_memory", "test_message_robustness", "test_migrating"),
    *("test_mock_wire", "test_transcoder_sources"),
    *("test_native_leaving", "test_responses", "test_responses_ends", "test_schemas_of_trees"),
    *("test_sequence_leaving", "test_sequence_left", "test_sequence_openai", "test_tools_random"),
    *("test_transport_deadlines", "test_transport_threads", "test_typing", "test_user_code_leaving"),
    *("test_gateway_serve", "test_response_servers", "test_resumable_servers", "test_wire_faults"),
    *("test_deploying", "test_pytest_page", "test_resumable_celery", "test_tutorial"),
    *(
        "test_chat_in_a_terminal",
        "test_chat_once",
        "test_command_line_page",
        "test_langchain_ollama",
        "test_ollama_answers",
        "test_site",
    ),
}

_collected_for: dict[str, Path] = {}

# The parameters that ask for the core; the page has a program over the native transport.
NATIVE = {
    **{"impl": "rust", "transport": "native", "kit": "Rust, own transport"},
    "page": Path(__file__).parents[1] / "docs" / "how-to" / "tls.md",
}

HALVES = {"rust": "millstream._core", "python": "millstream._pure"}

# A repeatable run by default, ``quick`` for the inner loop; ``slow`` looks for something new each time, and needs
# ``-o timeout=0``.
UNHURRIED = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", UNHURRIED, max_examples=60, derandomize=True)
settings.register_profile("quick", UNHURRIED, max_examples=10, derandomize=True)
settings.register_profile("slow", UNHURRIED, max_examples=3000)
settings.load_profile(os.environ.get("MILLSTREAM_HYPOTHESIS", "fast"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--no-native``."""
    parser.addoption("--no-native", action="store_true", help="leave out the tests of the Rust core")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Exclude the objects of the test collection, which stay alive, from garbage collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import modules that ``-m "not slow"`` excludes, or those of the native transport without the core."""
    leaves_slow_out = "not slow" in config.option.markexpr and " or " not in config.option.markexpr
    leaves_out = leaves_slow_out and collection_path.stem in SLOW
    return True if leaves_out or (config.getoption("--no-native") and _is_of_native(collection_path)) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of some modules over each transport."""
    if metafunc.module.__name__ in OVER_BOTH_TRANSPORTS:
        if "transport" not in metafunc.fixturenames:
            metafunc.fixturenames.insert(0, "transport")
        metafunc.parametrize("transport", ["native", "httpx2"], indirect=True)


@pytest.fixture
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Force one transport, in child processes too, and return its name."""
    name: str = request.param
    monkeypatch.setenv("MILLSTREAM_TRANSPORT", name)
    return name


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait long for the end of a body, so that its connection is reused on a busy machine too."""
    for module, name in (
        ("native.blocking", "SETTLING_SECONDS"),
        ("native.asyncio_pool", "SETTLING_SECONDS"),
        ("httpx2", "_DRAIN_SECONDS"),
    ):
        if module.startswith("native") and find_spec(HALVES["rust"]) is None:
            continue
        monkeypatch.setattr(import_module(f"millstream.transport.{module}"), name, 60.0)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark slow tests; with ``--no-native`` deselect those of the Rust core, else require that it is built."""
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker("slow")
    native = [item for item in items if _needs_native(item)]
    if config.getoption("--no-native"):
        left_out = set(native)
        config.hook.pytest_deselected(items=native)
        items[:] = [item for item in items if item not in left_out]
    elif native and find_spec(HALVES["rust"]) is None:
        raise pytest.UsageError(f"{HALVES['rust']} is not built: build it, or pass --no-native to test the Python half")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Exclude the objects that exist before a module's tests from the garbage collections in them."""
    if item.path != _collected_for.get("path"):
        _collected_for["path"] = item.path
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", params=list(HALVES))
def impl(request: pytest.FixtureRequest) -> ModuleType:
    """Return each implementation of the core in turn."""
    return import_module(HALVES[request.param])


@pytest.fixture(scope="session")
def native() -> ModuleType:
    """Return the Rust core, for tests of promises that only it makes."""
    return import_module(HALVES["rust"])


@pytest.fixture(scope="session")
def halves() -> Halves:
    """Return both implementations, to be compared with each other."""
    return Halves(import_module(HALVES["rust"]), import_module(HALVES["python"]))


@pytest.fixture
def half(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Let the models run on each implementation in turn."""
    monkeypatch.setattr("millstream.providers.stream_decoding.StreamDecoder", impl.StreamDecoder)
    monkeypatch.setattr("millstream.wires.names.WireWriter", impl.WireWriter)
    monkeypatch.setattr("millstream.providers.stream_decoding.Delta", impl.Delta)
    monkeypatch.setattr("millstream.wires.chunk_writer.Delta", impl.Delta)
    for name in ("Delta", "ToolCallDelta"):
        monkeypatch.setattr(f"millstream.wires.message_deltas.{name}", getattr(impl, name))
    return impl


@pytest.fixture(scope="session", autouse=True)
def kept_clients() -> Iterator[None]:
    """Let LangChain keep all of its default clients, but for those that a test has closed.

    Its caches have 128 each, by the server's address. One would drop a client in the middle of any test, with a
    connection of another test's loop, and hand out a closed one where two tests' servers have had the same port.
    They are dropped after the last test, with connections that none of their loops is there to close.
    """
    module = sys.modules.get("langchain_openai.chat_models._client_utils")
    if module is not None:
        for name in ("_cached_sync_httpx_client", "_cached_async_httpx_client"):
            setattr(module, name, _keep_open(getattr(module, name).__wrapped__))
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        _OVER.clear()
        gc.unfreeze()
        gc.collect()


_WITH_CLIENTS = re.compile(
    r"langchain_anthropic|langchain_google_genai|langchain_ollama|(anthropic|google)_peer|ollama_peers|sdk_eyes"
)


@pytest.fixture(scope="module", autouse=True)
def dropped_clients(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop the clients of other packages' models that a module has left open, before the next module's tests.

    Those packages leave it to the collector, which would report a connection in the middle of any test.
    """
    yield
    source = request.path.read_text("utf-8")
    if _WITH_CLIENTS.search(source) is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clients = sys.modules.get("langchain_anthropic._client_utils")
        if clients is not None:
            clients._get_default_httpx_client.cache_clear()
            clients._get_default_async_httpx_client.cache_clear()
        gc.collect()


# The clients of each cache, and those of modules that are over: their connections belong to loops that are closed.
_KEPT: list[dict[Any, Any]] = []
_OVER: list[Any] = []


@pytest.fixture(scope="module", autouse=True)
def fresh_clients(kept_clients: None) -> Iterator[None]:
    """Hand no client of a module out in the next one, where another server may have the same port."""
    yield
    for clients in _KEPT:
        _OVER.extend(clients.values())
        clients.clear()


def _keep_open(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return what calls ``make`` once for equal arguments, and again where the client has been closed."""
    clients: dict[Any, Any] = {}
    _KEPT.append(clients)

    def find(*arguments: Any) -> Any:
        client = clients.get(arguments)
        if client is None or client.is_closed:
            client = clients[arguments] = make(*arguments)
        return client

    return find


@pytest.fixture
def without_the_collector() -> Iterator[None]:
    """Turn the garbage collector off, so that objects are only freed by their reference counts."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def after() -> Iterator[ExitStack]:
    """Collect garbage after a test that leaks on purpose."""
    with ExitStack() as stack:
        yield stack
    assert gc.isenabled()


@pytest.fixture
def server() -> Iterator["MockServer"]:
    """Serve streams that pause after three pieces until they are left."""
    from millstream.testing import MockServer, Reply, Stall

    with MockServer(Reply(fault=Stall(after=3))) as server:
        yield server


@pytest.fixture
def native_transport() -> Iterator["NativeTransport"]:
    """Return a native transport of the test's own."""
    from millstream.transport.native import NativeTransport

    transport = NativeTransport()
    yield transport
    transport.close()


@pytest.fixture
def client(mock_server: "MockServer") -> Iterator["openai.OpenAI"]:
    """Return an SDK client of the mock server."""
    from mock_clients import client_of

    with client_of(mock_server) as client:
        yield client


def _is_of_native(path: Path) -> bool:
    return path.stem.startswith("test_native_")


def _needs_native(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return False
    if {"halves", "native", "native_transport"} & set(item.fixturenames):
        return True
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return any(params.get(name) == value for name, value in NATIVE.items())
