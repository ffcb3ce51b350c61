"""The memory of a relay from the connection's callback, beyond what the garbage collector knows."""

import gc
import sys

import pytest

from millstream.testing import Reply
from test_direct_relay import outcome

# One read each, of more bytes than the integers that the interpreter keeps.
PIECES = [f"{place} {'word ' * 80}" for place in range(400)]


@pytest.mark.usefixtures("native")
def test_a_read_leaves_no_object_behind() -> None:
    def blocks() -> int:
        data, _, is_direct = outcome(Reply(pieces=PIECES, pace=0.0005), suspends=False)
        assert is_direct
        assert data.count(b'"text-delta"') == len(PIECES)
        del data
        gc.collect()
        return sys.getallocatedblocks()

    blocks()
    before = blocks()
    assert blocks() - before < len(PIECES) // 2
