"""``classify``: the exception that a package of LangChain raises in place of one of its SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ("classify",)


def classify(failure: Exception, *handlers: tuple[type[Exception], Callable[[Any], Any]]) -> Exception:
    """Return what the first of the package's ``handlers`` for the type of ``failure`` raises, without a traceback.

    A handler is called while ``failure`` is handled, as in the package. A failure without a handler is returned.
    """
    try:
        try:
            raise failure
        except Exception as error:
            for kind, handle in handlers:
                if isinstance(error, kind):
                    handle(error)
                    break
            else:
                raise
    except Exception as raised:
        failure.__traceback__ = None
        return raised.with_traceback(None)
    finally:
        del failure
    raise AssertionError
