"""LangChain's own unit tests, run over Millstream: fetched when they run, and never kept here."""
