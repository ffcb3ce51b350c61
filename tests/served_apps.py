"""Apps of several frameworks that answer each request with an ``EventStreamResponse``; servers import them by name."""

from functools import cache
from typing import Any

from starlette.responses import Response

from asgi_calls import is_in_callback
from millstream import OpenAI
from millstream.server import EventStreamResponse, add_routes, shut_down

__all__ = ("bare", "routes", "stopping")

llm = OpenAI(max_retries=0)


def respond() -> EventStreamResponse:
    return EventStreamResponse(llm.astream_records("p", wire="vercel.ui"))


async def bare(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await respond()(scope, receive, send)


async def stopping(scope: Any, receive: Any, send: Any) -> None:
    """An app with a path that ends all running responses."""
    if scope["type"] == "lifespan":
        await bare(scope, receive, send)
    elif scope["path"] == "/stop":
        await shut_down(grace=0.01)
        await Response(b"stopped")(scope, receive, send)
    else:
        response = EventStreamResponse(llm.astream_records("p"), farewell=b"data: bye\n\n")
        await response(scope, receive, send)


async def routes(scope: Any, receive: Any, send: Any) -> None:
    """An app with LangServe's routes."""
    await _make_routes()(scope, receive, send)


@cache
def _make_routes() -> Any:
    from starlette.applications import Starlette

    app = Starlette()
    add_routes(app, llm, path="/chain")
    return app


_direct: list[bool] = []


async def counting(scope: Any, receive: Any, send: Any) -> None:
    """An app that answers with the numbers of messages of the last response: sent by the callback, and all."""
    if scope["type"] == "lifespan":
        await bare(scope, receive, send)
    elif scope["path"] == "/direct":
        await Response(f"{sum(_direct)} {len(_direct)}")(scope, receive, send)
    else:
        _direct.clear()

        def counted(message: Any) -> Any:
            _direct.append(is_in_callback())
            return send(message)

        await respond()(scope, receive, counted)


def __getattr__(name: str) -> Any:
    app = globals()[name] = _MAKERS[name]()
    return app


def _starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Route

    async def answer(request: Request) -> EventStreamResponse:
        return respond()

    return Starlette(routes=[Route("/", answer)])


def _fastapi(*, with_middleware: bool = False) -> Any:
    from fastapi import FastAPI, Request

    app = FastAPI()

    @app.get("/")
    async def answer() -> EventStreamResponse:
        return respond()

    if with_middleware:

        @app.middleware("http")
        async def wrap(request: Request, call_next: Any) -> Any:
            return await call_next(request)

    return app


def _litestar() -> Any:
    from litestar import Litestar, asgi, get
    from litestar.types import ASGIApp

    @asgi("/mounted", is_mount=True)
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await respond()(scope, receive, send)

    @get("/")
    async def answer() -> ASGIApp:
        response: Any = respond()
        return response  # type: ignore[no-any-return]

    # Litestar reads the annotation at run time.
    return Litestar([mounted, answer])


def _django() -> Any:
    import django as package
    from django.conf import settings
    from django.core.asgi import get_asgi_application

    settings.configure(ROOT_URLCONF=(), SECRET_KEY="s", ALLOWED_HOSTS=["*"])
    package.setup()
    others = get_asgi_application()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        mounted = scope["type"] == "http" and scope["path"] == "/"
        await (respond() if mounted else others)(scope, receive, send)

    return app


_MAKERS = {
    "django": _django,
    "fastapi": _fastapi,
    "litestar": _litestar,
    "middleware": lambda: _fastapi(with_middleware=True),
    "starlette": _starlette,
}
