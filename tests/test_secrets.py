"""Secrets appear in no ``repr``, no argument of a handler, and no variable of our frames in a traceback."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from endings import aread
from millstream import AzureChatOpenAI, ChatOpenAI, OpenAI
from millstream._secrets import mask_secrets, mask_url
from millstream.callbacks import BaseCallbackHandler
from millstream.testing import Cut, ErrorStatus, MockServer, Reply

KEY = "sk-canary-0123456789"
MODELS = pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])


class Everything(BaseCallbackHandler):
    """Records all arguments that a handler receives, as text."""

    def __init__(self) -> None:
        self.received: list[str] = []

    def on_llm_start(self, *args: Any, **kwargs: Any) -> None:
        self.received.append(repr((args, kwargs)))

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.received.append(repr((args, kwargs)))

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.received.append(repr((args, kwargs)))

    def on_llm_error(self, *args: Any, **kwargs: Any) -> None:
        self.received.append(repr((args, kwargs)))


WHERE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"default_headers": {"Authorization": KEY, "X-Auth": KEY, "Cookie": KEY, "X-Tenant": KEY}}, {}),
    ({"default_query": {"subscription-key": KEY, "q": KEY}}, {}),
    ({"extra_body": {"apiKey": KEY, "nested": [{"key": KEY, "auth": {"a": KEY}}]}}, {}),
    ({"model_kwargs": {"extra_headers": {"X-Auth": KEY}, "session_token": KEY}}, {}),
    ({}, {"extra_headers": {"Authorization": f"Bearer {KEY}", "X-Auth": KEY}}),
    ({}, {"extra_query": {"sig": KEY, "code": KEY}}),
    ({}, {"extra_body": {"client_secret": KEY, "hook": f"https://u:{KEY}@host/?key={KEY}"}}),
]


@MODELS
@pytest.mark.parametrize(("fields", "arguments"), WHERE)
def test_no_repr_and_no_handler_contains_a_secret(
    cls: type[Any], fields: dict[str, Any], arguments: dict[str, Any]
) -> None:
    with MockServer() as server:
        model = cls(base_url=f"{server.url}?subscription-key={KEY}", api_key=KEY, **fields)
        handler = Everything()
        config: Any = {"callbacks": [handler]}
        for bound in (model, model.bind(**arguments)):
            kwargs = arguments if bound is model else {}
            bound.invoke("p", config, **kwargs)
            list(bound.stream("p", config, **kwargs))
            asyncio.run(bound.ainvoke("p", config, **kwargs))
            handler.received.append(repr(asyncio.run(aread(bound.astream_events("p", config, version="v2", **kwargs)))))
            handler.received.append(repr(bound))
        handler.received += [repr(model), repr(model.asdict()), str(model._get_ls_params())]
        assert len(handler.received) > 10
        for text in handler.received:
            assert KEY not in text
        # But the request contained it.
        assert any(KEY in repr((request.headers, request.path, request.body)) for request in server.requests)


@pytest.mark.parametrize(
    "fields",
    [
        {"base_url": f"user:{KEY}@host/v1"},
        {"base_url": f"https://user:{KEY}@host/v1?key={KEY}"},
        {"base_url": f"https://host/v1?{KEY}"},
        {"openai_proxy": f"user:{KEY}@proxy:3128"},
        {"openai_proxy": f"http://user:{KEY}@proxy:3128"},
    ],
)
def test_a_url_shows_no_password_and_no_query(fields: dict[str, Any]) -> None:
    for cls in (OpenAI, ChatOpenAI):
        assert KEY not in repr(cls(api_key="k", **fields))
    azure = AzureChatOpenAI(api_key="k", api_version="1", azure_endpoint=f"https://u:{KEY}@host/?key={KEY}")
    assert KEY not in repr(azure)
    assert "host" in repr(azure)


def test_values_that_are_not_secret_are_shown() -> None:
    shown = {
        "temperature": 0.5,
        "max_tokens": 5,
        "logit_bias": {"50256": -100},
        "prompt_cache_key": "k",
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"max_tokens": 3}}}],
        "extra_body": {"top_k": 3, "stop_token_ids": [1], "flag": True, "none": None},
        "url": "https://host/path?page=2",
    }
    assert mask_secrets(shown) == shown
    assert mask_url("http://host/v1") == "http://host/v1"


def test_a_value_inside_of_itself_is_shown_once() -> None:
    fields: dict[str, Any] = {"api_key": KEY, "steps": [1]}
    fields["steps"] += [fields, fields["steps"]]
    fields["self"] = fields
    twice = [1]
    fields["twice"] = [twice, twice]
    shown = mask_secrets(fields)
    assert shown == {"api_key": "*" * 10, "steps": [1, "...", "..."], "self": "...", "twice": [[1], [1]]}
    assert KEY not in repr(ChatOpenAI(api_key="k", extra_body=fields))


def iter_variables(error: BaseException | None, seen: set[int]) -> Iterator[tuple[str, str, Any]]:
    """Yield the variables of our frames in a traceback, and in those of its causes."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if "millstream" in frame.f_globals.get("__name__", ""):
            for name, value in frame.f_locals.items():
                yield frame.f_code.co_name, name, value
        trace = trace.tb_next
    yield from iter_variables(error.__cause__, seen)
    yield from iter_variables(error.__context__, seen)


@MODELS
@pytest.mark.parametrize("transport", ["native", "httpx2"])
@pytest.mark.parametrize(
    "fault", [ErrorStatus(401), Cut(after="request", how="reset"), Cut(after=1, how="reset")], ids=repr
)
def test_no_frame_of_a_failed_call_has_the_key(cls: type[Any], transport: str, fault: Any) -> None:
    with MockServer(Reply(fault=fault)) as server:
        model = cls(base_url=server.url, api_key=KEY, transport=transport, max_retries=0)
        calls: list[Any] = [
            lambda: model.invoke("p"),
            lambda: list(model.stream("p")),
            lambda: asyncio.run(model.ainvoke("p")),
            lambda: asyncio.run(aread(model.astream("p"))),
        ]
        for call in calls:
            with pytest.raises(Exception) as caught:
                call()
            assert [found[:2] for found in iter_variables(caught.value, set()) if KEY in repr(found[2])] == []


@MODELS
@pytest.mark.parametrize("wrong", [f"{KEY} ", f"{KEY}\n", f"{KEY}é"])
def test_no_frame_of_a_rejected_key_has_it(cls: type[Any], wrong: str) -> None:
    makes: list[Any] = [
        lambda: cls(api_key=wrong),
        lambda: cls(api_key=lambda: wrong, base_url="http://127.0.0.1:1").invoke("p"),
    ]
    for make in makes:
        with pytest.raises(ValueError, match="api_key") as caught:
            make()
        assert KEY not in str(caught.value)
        assert [found[:2] for found in iter_variables(caught.value, set()) if KEY in repr(found[2])] == []
