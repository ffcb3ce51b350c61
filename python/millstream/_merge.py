"""How what a stream brings in pieces becomes one: mappings, lists, contents, counts. Linear in the pieces."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ("Content", "ListSum", "add_counts", "merge_contents", "merge_info", "merge_lists")

Content = str | list[str | dict[str, Any]]
"""What a message says: a text, or blocks."""

# What names or dates a thing is repeated from piece to piece, never continued.
_LAST_WINS = frozenset(
    {
        *("created", "id", "index", "model", "object", "provider", "role", "service_tier", "status"),
        *("system_fingerprint", "timestamp", "type"),
    }
)
# How deep counts may be nested; what is deeper is not added.
_COUNTS_DEPTH = 100
_LAST_WINS_ENDINGS = ("_id", "_name", "_provider", "_reason", "_type", "_version")


def merge_info(infos: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Return the details of all pieces in one: lists and texts are joined, counts added, mappings merged.

    ``None`` and an empty text never replace a value. Finish reasons, models' names and whatever else only names or
    dates a thing are not joined: the last one wins, as it does where two differ in kind. Items of
    lists that have the same ``index`` are merged. The pieces stay as they are.
    """
    merged: dict[str, Any] = {}
    if told := [info for info in infos if info]:
        merge = _Merge()
        for info in told:
            merge.absorb(merged, info)
        merge.settle()
    return merged


def merge_lists(lists: Iterable[Iterable[Any]]) -> list[Any]:
    """Return the lists in one; an item with an ``index`` continues the one that had it, unless their ids differ.

    What has no id continues the item of its index that was added to last. A name that is equal to the
    item's name, and comes with the item's id, is a repetition: it does not grow.
    """
    merge = _Merge()
    merged: list[Any] = []
    for items in lists:
        merge.extend(merged, items)
    merge.settle()
    return merged


class ListSum:
    """The sum of lists that arrive piece by piece: ``items`` is at any time what :func:`merge_lists` returns."""

    __slots__ = ("_merge", "items")

    def __init__(self) -> None:
        self._merge = _Merge()
        self.items: list[Any] = []

    def add(self, item: Any) -> int:
        """Add an item, and return the position of the item that it continues, or that it is."""
        place = self._merge.add(self.items, item)
        self._merge.settle()
        return place


def merge_contents(contents: Iterable[Content]) -> Content:
    """Return the contents in one: texts are joined; where there are blocks, texts become blocks among them."""
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
    """Return the sums of counts that have the same name, in mappings that may hold mappings."""
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
    """A text that grows: its pieces, joined when the sum is complete."""

    __slots__ = ()


class _Merge:
    """One sum on its way. What it puts together is its own, never a part of a piece."""

    __slots__ = ("_places", "_texts")

    def __init__(self) -> None:
        self._texts: list[tuple[Any, Any]] = []
        # By the list's id; the list itself is kept, so that no other one gets its id.
        self._places: dict[int, tuple[list[Any], _Places]] = {}

    def absorb(self, merged: dict[Any, Any], info: Mapping[Any, Any]) -> None:
        for key, value in info.items():
            old = merged.get(key)
            if old is None:
                merged[key] = _copy(value)
            elif value is not None and (type(value) is not str or value):
                # An empty text says nothing beside another value.
                self._join(merged, key, old, value)

    def _join(self, merged: dict[Any, Any], key: Any, old: Any, new: Any) -> None:
        if isinstance(key, str) and (key in _LAST_WINS or key.endswith(_LAST_WINS_ENDINGS)):
            merged[key] = _copy(new)
        elif isinstance(old, dict) and isinstance(new, Mapping):
            self.absorb(old, new)
        elif isinstance(old, str | _Text) and isinstance(new, str):
            self._append_text(merged, key, new)
        elif isinstance(old, list) and isinstance(new, list) and not isinstance(old, _Text):
            self.extend(old, new)
        elif type(old) is int and type(new) is int:
            # An equal number is a detail told twice, not a count to add: LangChain's reading.
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
        """Add an item to a list, and return the position of the one that it continues, or that it is."""
        index = _index(item)
        if index is None:
            merged.append(_copy(item))
            return len(merged) - 1
        places = self._places_in(merged)
        name = item.get("id")
        place = places.find(index, name)
        if place is None:
            place = len(merged)
            merged.append(_copy(item))
        else:
            self.absorb(merged[place], _continuation(merged[place], item))
        places.note(index, name, place)
        return place

    def write(self, blocks: list[Any], text: str) -> None:
        """Add a text to the end of blocks."""
        if blocks and isinstance(blocks[-1], str | _Text):
            self._append_text(blocks, len(blocks) - 1, text)
        elif text:
            blocks.append(text)

    def settle(self) -> None:
        """Make texts of what grew."""
        for container, key in self._texts:
            container[key] = _join_text(container[key])
        self._texts.clear()

    def _places_in(self, merged: list[Any]) -> "_Places":
        if (kept := self._places.get(id(merged))) is None:
            kept = self._places[id(merged)] = merged, _Places()
            for place, item in enumerate(merged):
                if (index := _index(item)) is not None:
                    kept[1].note(index, item.get("id"), place)
        return kept[1]


class _Places:
    """Where in a list the items with an index are."""

    __slots__ = ("_known", "_latest", "_nameless")

    def __init__(self) -> None:
        self._latest: dict[int | str, int] = {}
        self._known: dict[tuple[int | str, str], int] = {}
        self._nameless: set[int] = set()

    def find(self, index: int | str, name: Any) -> int | None:
        """Return where the item is that one with this index and id continues."""
        latest = self._latest.get(index)
        if name is None or name == "":
            return latest
        place = self._known.get((index, str(name)))
        return latest if place is None and latest in self._nameless else place

    def note(self, index: int | str, name: Any, place: int) -> None:
        """Note an item, or what continued it."""
        new = self._latest.get(index) != place
        self._latest[index] = place
        if name is not None and name != "":
            self._known[index, str(name)] = place
            self._nameless.discard(place)
        elif new:
            self._nameless.add(place)


def _index(item: Any) -> int | str | None:
    """Return what tells an item of a list apart from those beside it: a number, or a text that LangChain made."""
    if not isinstance(item, dict):
        return None
    index = item.get("index")
    if isinstance(index, int) or (isinstance(index, str) and index.startswith("lc_")):
        return index
    return None


def _continuation(begun: dict[Any, Any], item: dict[Any, Any]) -> dict[Any, Any]:
    """Return what ``item`` adds to the one it continues."""
    kind = begun.get("type")
    if kind and item.get("type") == "non_standard" and isinstance(value := item.get("value"), Mapping):
        rest = {key: one for key, one in value.items() if key != "type"}
        return {"extras": rest} if kind != "non_standard" else {"value": rest}
    again = {"type", "name"} if _repeats_the_name(begun, item) else {"type"}
    return {key: value for key, value in item.items() if key not in again}


def _repeats_the_name(begun: dict[Any, Any], item: dict[Any, Any]) -> bool:
    """Return whether a server that sends a call's id again sends its name again with it."""
    id, name = item.get("id"), item.get("name")
    return bool(id and name) and id == begun.get("id") and name == _join_text(begun.get("name"))


def _join_text(value: Any) -> Any:
    return "".join(value) if isinstance(value, _Text) else value


def _copy(value: Any) -> Any:
    """Return a copy of what later pieces will be added to."""
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
