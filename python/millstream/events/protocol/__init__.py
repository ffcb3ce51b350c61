"""Version 3 of stream events: LangChain's content-block protocol, from chunks to events and from these to messages."""
