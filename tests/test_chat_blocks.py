"""The blocks of growing Markdown are the same, however the text is split."""

import pytest

from millstream.cli.chat.blocks import BlockSplitter

CASES = [
    ("one\ntwo\n\nthree", ["one\ntwo", "three"]),
    ("\n\none\n\n\n\ntwo\n\n", ["one", "two"]),
    ("# Title\n\ntext", ["# Title", "text"]),
    ("```python\na\n\nb\n```\n\nend", ["```python\na\n\nb\n```", "end"]),
    ("````\n```\n\nb\n````\n\nend", ["````\n```\n\nb\n````", "end"]),
    ("~~~\na\n```\n\nb\n~~~\n\nend", ["~~~\na\n```\n\nb\n~~~", "end"]),
    ("```\nnever closed\n\nb", ["```\nnever closed\n\nb"]),
    ("1. a\n\n2. b\n\n   more\n\nend", ["1. a\n\n2. b\n\n   more", "end"]),
    ("- a\n\n    code\n\n- b\n\nend", ["- a\n\n    code\n\n- b", "end"]),
    ("text\n\n- a\n- b", ["text", "- a\n- b"]),
    ("| a |\n|---|\n| b |\n\nend", ["| a |\n|---|\n| b |", "end"]),
    ("", []),
    ("\n\n", []),
]


@pytest.mark.parametrize(("text", "blocks"), CASES)
def test_blocks_are_complete_whatever_the_split(text: str, blocks: list[str]) -> None:
    for cut in range(len(text) + 1):
        splitter = BlockSplitter()
        got = splitter.feed(text[:cut]) + splitter.feed(text[cut:])
        assert got + splitter.close() == blocks
    splitter = BlockSplitter()
    got = [block for sign in text for block in splitter.feed(sign)]
    assert got + splitter.close() == blocks


def test_the_rest_is_the_block_that_grows() -> None:
    splitter = BlockSplitter()
    assert splitter.feed("one\n\ntwo\nthr") == ["one"]
    assert splitter.rest == "two\nthr"
