"""LangChain's paths for names that have another module here; nothing in Millstream imports them."""
