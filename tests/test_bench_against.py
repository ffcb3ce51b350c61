"""The comparison of two checkouts: rows of both, and a verdict that minds the noise."""

from pathlib import Path

import pytest
from benches.against import Compared, main

HERE = Path(__file__).parents[1]


@pytest.mark.usefixtures("native")
def test_a_checkout_is_measured_beside_itself(capfd: pytest.CaptureFixture[str]) -> None:
    main([str(HERE), "--only", "SSEParser.feed: completions, 50 chunks", "--rounds", "2"])
    printed = capfd.readouterr()
    assert "[rust]" in printed.out
    assert "[python]" in printed.out
    assert "[openai]" not in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.2, "SLOWER"), (1.04, "same"), (0.97, "same"), (0.8, "faster")], ids=str
)
def test_a_row_is_slower_only_beyond_the_noise(ratio: float, verdict: str) -> None:
    row = Compared("row", 100.0, [ratio] * 3, [1.05, 0.96, 1.0])
    assert row.verdict == verdict
    assert str(row).startswith(verdict)
