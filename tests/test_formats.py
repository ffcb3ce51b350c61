"""Every format: the wire cases mean what their sidecars say, however the bytes are cut."""

from types import ModuleType
from typing import Any

from cases import Case, each
from formats import expected_ops, final_of, ops_of, plain_final, wire_cases
from streams import splits

CASES = wire_cases()


def decode(impl: ModuleType, case: Case, pieces: list[bytes]) -> tuple[list[Any], Any]:
    """Return the deltas and the decoder of a wire case."""
    decoder = impl.StreamDecoder(case["format"], **case["options"])
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    deltas += decoder.close()
    return deltas, decoder


@each(CASES)
def test_a_wire_case_means_what_its_sidecar_says_at_every_split(impl: ModuleType, case: Case) -> None:
    final = plain_final(case)
    for pieces in splits(case["body"]):
        deltas, decoder = decode(impl, case, pieces)
        assert ops_of(deltas, decoder) == expected_ops(case)
        found = final_of(deltas, decoder)
        assert {name: found[name] for name in final} == final


@each(CASES)
def test_feed_text_returns_the_texts_of_feed_at_every_split(impl: ModuleType, case: Case) -> None:
    deltas, _ = decode(impl, case, [case["body"]])
    shown = [(delta.text, delta.finish_reason) for delta in deltas if delta.index == 0]
    expected = [text or "" for text, finish in shown if text is not None or finish is not None]
    for pieces in splits(case["body"]):
        decoder = impl.StreamDecoder(case["format"], **case["options"])
        texts = [text for piece in pieces for text in decoder.feed_text(piece)]
        assert texts + decoder.close_text() == expected
