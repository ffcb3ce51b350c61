"""What a token costs over a real socket: a server process, client processes, CPU time of the client alone."""
