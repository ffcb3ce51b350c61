"""Merges the pieces of a stream: mappings, lists, message contents, counts. Takes time linear in the pieces.

The ``+`` of chunks and messages and all accumulators call these functions. :class:`_Merge` does the work. It
copies each value that a later piece may extend, and collects the pieces of each growing text in a list, which
:meth:`_Merge.settle` joins once, at the end.
"""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ("Content", "ListSum", "add_counts", "merge_contents", "merge_info", "merge_lists")

Content = str | list[str | dict[str, Any]]
"""The content of a message: a text, or a list of texts and blocks."""

# Keys whose value names or dates the response. Each piece repeats the value; it is not a part of a longer one.
_LAST_WINS = frozenset(
    {
        *("created", "id", "index", "model", "object", "provider", "role", "service_tier", "status"),
        *("system_fingerprint", "timestamp", "type"),
    }
)
# The depth to which nested counts are added; below it, the last one wins.
_COUNTS_DEPTH = 100
_LAST_WINS_ENDINGS = ("_id", "_name", "_provider", "_reason", "_type", "_version")


def merge_info(infos: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Return the details of all pieces merged: lists and texts are joined, counts added, mappings merged.

    ``None`` and an empty text never replace a value. Finish reasons, model names and other values that only name
    or date the response are not joined: the last one wins. It also wins where two values differ in type. Items of
    lists with the same ``index`` are merged. The arguments are not changed.
    """
    nonempty = [info for info in infos if info]
    merged: dict[str, Any] = _copy(nonempty[0]) if nonempty else {}
    if len(nonempty) > 1:
        merge = _Merge()
        for info in nonempty[1:]:
            merge.absorb(merged, info)
        merge.settle()
    return merged


def merge_lists(lists: Iterable[Iterable[Any]]) -> list[Any]:
    """Return the lists merged: an item continues an earlier one with the same ``index``, unless their ids differ.

    An item without an id continues the latest item of its index. Some servers repeat the id and the name of a
    tool call in each piece: a name that comes with the same id and is equal is not appended.
    """
    merge = _Merge()
    merged: list[Any] = []
    for items in lists:
        merge.extend(merged, items)
    merge.settle()
    return merged


class ListSum:
    """Merges lists that arrive item by item: ``items`` always equals what :func:`merge_lists` returns."""

    __slots__ = ("_merge", "items")

    def __init__(self) -> None:
        self._merge = _Merge()
        self.items: list[Any] = []

    def add(self, item: object) -> int:
        """Add an item; return the position of the item that it continues, or its own."""
        position = self._merge.add(self.items, item)
        self._merge.settle()
        return position


def merge_contents(contents: Iterable[Content]) -> Content:
    """Return the contents merged: texts are joined; if any content has blocks, texts become blocks too."""
    texts: list[str] = []
    pieces = iter(contents)
    for content in pieces:
        if isinstance(content, str):
            texts.append(content)
        else:
            return _merge_blocks(["".join(texts)] if texts else [], [content, *pieces])
    return "".join(texts)


def _merge_blocks(blocks: list[Any], contents: list[Content]) -> Content:
    merge = _Merge()
    for content in contents:
        if isinstance(content, str):
            merge.write(blocks, content)
        else:
            merge.extend(blocks, content)
    merge.settle()
    return blocks


def add_counts(counts: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Return the sums of counts by name. The mappings may be nested."""
    return _add_counts(counts, _COUNTS_DEPTH)


def _add_counts(counts: Iterable[Mapping[str, Any] | None], depth: int) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for count in counts:
        for key, value in count.items() if isinstance(count, Mapping) else ():
            old = total.get(key)
            if isinstance(value, Mapping) and depth:
                total[key] = _add_counts((old if isinstance(old, dict) else None, value), depth - 1)
            elif isinstance(value, int | float) and isinstance(old, int | float):
                total[key] = old + value
            elif old is None or (value is not None and value != ""):
                total[key] = value
    return total


class _Text(list[str]):
    """The pieces of a growing text, to be joined by :meth:`_Merge.settle`."""

    __slots__ = ()


class _Merge:
    """One merge in progress. Its containers are copies, never parts of the pieces."""

    __slots__ = ("_positions", "_texts")

    def __init__(self) -> None:
        self._texts: list[tuple[Any, Any]] = []
        # By the list's ``id()``. Holding the list keeps Python from reusing that id for another list.
        self._positions: dict[int, tuple[list[Any], _Positions]] = {}

    def absorb(self, merged: dict[Any, Any], info: Mapping[Any, Any]) -> None:
        for key, value in info.items():
            old = merged.get(key)
            if old is None:
                merged[key] = _copy(value)
            elif value is not None and (type(value) is not str or value):
                # An empty text never replaces a value.
                self._join(merged, key, old, value)

    def _join(self, merged: dict[Any, Any], key: object, old: object, new: object) -> None:
        if isinstance(key, str) and (key in _LAST_WINS or key.endswith(_LAST_WINS_ENDINGS)):
            merged[key] = _copy(new)
        elif isinstance(old, dict) and isinstance(new, Mapping):
            self.absorb(old, new)
        elif isinstance(old, str | _Text) and isinstance(new, str):
            self._append_text(merged, key, new)
        elif isinstance(old, list) and isinstance(new, list) and not isinstance(old, _Text):
            self.extend(old, new)
        elif type(old) is int and type(new) is int:
            # Equal numbers are one value sent twice, not counts to add: as in LangChain.
            merged[key] = old if old == new else old + new
        else:
            merged[key] = _copy(new)

    def _append_text(self, container: Any, key: Any, piece: str) -> None:
        text = container[key]
        if isinstance(text, _Text):
            text.append(piece)
        else:
            container[key] = _Text((text, piece))
            self._texts.append((container, key))

    def extend(self, merged: list[Any], more: Iterable[Any]) -> None:
        for item in more:
            self.add(merged, item)

    def add(self, merged: list[Any], item: Any) -> int:
        """Add an item to a list; return the position of the item that it continues, or its own."""
        index = _index(item)
        if index is None:
            merged.append(_copy(item))
            return len(merged) - 1
        positions = self._positions_in(merged)
        item_id = item.get("id")
        position = positions.find(index, item_id)
        if position is None:
            position = len(merged)
            merged.append(_copy(item))
        else:
            self.absorb(merged[position], _continuation(merged[position], item))
        positions.note(index, item_id, position)
        return position

    def write(self, blocks: list[Any], text: str) -> None:
        """Append a text to blocks."""
        if blocks and isinstance(blocks[-1], str | _Text):
            self._append_text(blocks, len(blocks) - 1, text)
        elif text:
            blocks.append(text)

    def settle(self) -> None:
        """Join the pieces of every growing text."""
        for container, key in self._texts:
            container[key] = _join_text(container[key])
        self._texts.clear()

    def _positions_in(self, merged: list[Any]) -> "_Positions":
        if (kept := self._positions.get(id(merged))) is None:
            kept = self._positions[id(merged)] = merged, _Positions()
            for position, item in enumerate(merged):
                if (index := _index(item)) is not None:
                    kept[1].note(index, item.get("id"), position)
        return kept[1]


class _Positions:
    """The positions of the items of one list, by their index and id."""

    __slots__ = ("_by_id", "_latest", "_without_id")

    def __init__(self) -> None:
        self._latest: dict[int | str, int] = {}
        self._by_id: dict[tuple[int | str, str], int] = {}
        self._without_id: set[int] = set()

    def find(self, index: int | str, item_id: object) -> int | None:
        """Return the position of the item that an item with this index and id continues; ``None`` for a new item.

        An item without an id continues the latest item of its index. One with an id continues the item with
        the same index and id. If there is no such item, it continues the latest item of its index, provided
        that this has no id yet: some servers send the id after the first piece. Otherwise it is a new item,
        since some servers use one index for several calls.
        """
        latest = self._latest.get(index)
        if item_id is None or item_id == "":
            return latest
        position = self._by_id.get((index, str(item_id)))
        return latest if position is None and latest in self._without_id else position

    def note(self, index: int | str, item_id: object, position: int) -> None:
        """Record the position of an item, or of the item that one with this index and id continued."""
        new = self._latest.get(index) != position
        self._latest[index] = position
        if item_id is not None and item_id != "":
            self._by_id[index, str(item_id)] = position
            self._without_id.discard(position)
        elif new:
            self._without_id.add(position)


def _index(item: object) -> int | str | None:
    """Return the ``index`` of a list item: an int, or a text that LangChain generated; ``None`` for any other."""
    if not isinstance(item, dict):
        return None
    index = item.get("index")
    if isinstance(index, int) or (isinstance(index, str) and index.startswith("lc_")):
        return index
    return None


def _continuation(begun: dict[Any, Any], item: dict[Any, Any]) -> dict[Any, Any]:
    """Return the entries of ``item`` to merge into ``begun``, the item that it continues."""
    block_type = begun.get("type")
    if block_type and item.get("type") == "non_standard" and isinstance(value := item.get("value"), Mapping):
        rest = {key: one for key, one in value.items() if key != "type"}
        return {"extras": rest} if block_type != "non_standard" else {"value": rest}
    again = {"type", "name"} if _repeats_the_name(begun, item) else {"type"}
    return {key: value for key, value in item.items() if key not in again}


def _repeats_the_name(begun: dict[Any, Any], item: dict[Any, Any]) -> bool:
    """Return whether ``item`` repeats both the id and the name of a tool call."""
    id, name = item.get("id"), item.get("name")
    return bool(id and name) and id == begun.get("id") and name == _join_text(begun.get("name"))


def _join_text(value: object) -> Any:
    return "".join(value) if isinstance(value, _Text) else value


def _copy(value: object) -> Any:
    """Return a deep copy of the containers in ``value``, which later pieces extend."""
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
