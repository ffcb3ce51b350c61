"""The bytes of whole answers, as ``vectors/wires.json`` has them."""

from types import ModuleType

import pytest

from cases import Case
from wire_answers import ANSWERS, WIRES, play


@pytest.mark.parametrize("wire", WIRES)
def test_an_answer_is_written_as_its_vector_says(impl: ModuleType, wire: str) -> None:
    for case in ANSWERS:
        if wire in case["expected"]:
            assert b"".join(play(impl, wire, case)).decode() == case["expected"][wire], case["name"]


def test_every_answer_has_the_bytes_of_every_wire() -> None:
    def expected(case: Case) -> set[str]:
        several = case.get("options", {}).get("all_choices", False)
        return {"ndjson", "openai.chat", "openai.completions"} if several else set(WIRES)

    assert [case["name"] for case in ANSWERS if set(case["expected"]) != expected(case)] == []
