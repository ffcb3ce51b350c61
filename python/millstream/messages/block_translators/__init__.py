"""The path that LangChain has for the translation of content blocks; only OpenAI's is here."""
