"""The cost of a token over a real socket: a server process, client processes, CPU time of the clients alone."""
