"""How streams are driven: sources and processors, the drivers, and users' code in a task or thread of its own."""
