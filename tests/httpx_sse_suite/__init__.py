"""httpx-sse's own tests, over Millstream."""
