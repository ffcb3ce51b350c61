"""HTTP requests of all providers: building, sending and retrying them, and mapping their errors."""
