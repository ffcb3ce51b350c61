"""LangServe's wire, for clients: ``RemoteRunnable``, and the values that its JSON stands for."""
