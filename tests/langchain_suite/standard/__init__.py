"""LangChain's standard tests, applied to Millstream's own classes; they are run over copies of these modules."""
