"""Existing apps, with one import changed: LangChain's, LangGraph's, the OpenAI SDK's and httpx-sse's programs.

Every program stands here once and runs with the names of each side, over the same client of httpx2 in memory.
"""
