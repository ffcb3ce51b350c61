"""LangServe's routes for any Runnable: ``add_routes``.

* ``routes.py`` adds them to an app; ``endpoints.py`` names them, and which of them an app has.
* ``handlers.py`` answers requests; ``bodies.py`` reads them, ``configs.py`` and ``inputs.py`` check what is in them.
* ``records.py`` and ``log_records.py`` write the streams of chunks and of logs; ``stream_responses.py`` sends them.
"""

from .routes import add_routes

__all__ = ("add_routes",)
