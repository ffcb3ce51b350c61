"""LangServe's own tests of its server and its client, over our routes."""
