"""Outputs of models: generations, chunks, results."""

import pytest

from millstream.outputs import Generation, GenerationChunk, LLMResult


def test_chunks_merge_without_joining_names() -> None:
    first = GenerationChunk("a", {"finish_reason": None, "model": "m", "logprobs": {"tokens": ["a"]}, "count": 1})
    second = GenerationChunk("b", {"finish_reason": "stop", "model": "m", "logprobs": {"tokens": ["b"]}, "count": 2})
    whole = first + second
    assert whole == GenerationChunk(
        "ab", {"finish_reason": "stop", "model": "m", "logprobs": {"tokens": ["a", "b"]}, "count": 3}
    )
    assert first.generation_info is not None
    assert first.generation_info["logprobs"] == {"tokens": ["a"]}
    with pytest.raises(TypeError):
        first + "text"


def test_outputs_print_compare_and_dump_as_in_langchain() -> None:
    chunk = GenerationChunk("a", {"k": 1})
    assert repr(chunk) == "GenerationChunk(text='a', generation_info={'k': 1})"
    assert (Generation("a") == GenerationChunk("a"), Generation("a") == Generation("a")) == (False, True)
    assert chunk.model_dump() == {"text": "a", "generation_info": {"k": 1}, "type": "Generation"}
    result = LLMResult([[Generation("a")], [Generation("b")]], {"token_usage": {"t": 1}, "model_name": "m"})
    assert repr(result) == (
        "LLMResult(generations=[[Generation(text='a')], [Generation(text='b')]], "
        "llm_output={'token_usage': {'t': 1}, 'model_name': 'm'}, run=None, type='LLMResult')"
    )
    first, second = result.flatten()
    assert (first.llm_output, second.llm_output) == (result.llm_output, {"token_usage": {}, "model_name": "m"})
    with pytest.raises(TypeError, match="unhashable"):
        hash(result)
