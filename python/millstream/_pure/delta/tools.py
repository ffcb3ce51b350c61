"""The tool calls of a choice: which of them an entry of ``tool_calls`` belongs to.

Servers identify calls by an index, by an id, by both or by neither, and repeat fields already sent.
The decoder settles which call is meant, so that the code after it need not:

    An entry belongs to the call of its id, if that is known and no index is given; else to the newest
    call begun under its index; else, without an index, to the call added to last.

    It begins a new call if (a) its index is new; (b) it has no index and a new id; (c) it has a name
    and an id other than the one the call has; (d) it has another name and at least one character of
    arguments has come; (e) it has a name and arguments that are not blank, does not repeat the call's
    id, and the call's arguments are whole (a complete JSON document, or they came as an object or
    array). In a whole message each entry is a call.

    The index handed out is the wire's if it is free, else the highest so far plus 1; that wire index
    then means the newest call. An equal id, or a name equal to the call's whole name, is not handed
    out again; another id without a name is passed over; other name pieces are handed out.
"""

from dataclasses import dataclass

from ..json import WHITE_SPACE
from ..partial import JSONAssembler

__all__ = ("MAX_CALLS", "MAX_INDEX", "MAX_SIZE", "Entry", "LimitPassedError", "Tools")

MAX_INDEX = 2**32 - 1

MAX_CALLS = 1024
"""How many calls one choice may have."""

MAX_SIZE = 65536
"""How long a call's id, and its name, may be, in bytes of UTF-8."""

_BLANK = WHITE_SPACE.decode()
# As many characters of arguments may be read later.
_UNREAD_SIZE = 256


class LimitPassedError(Exception):
    """A payload names more choices or tool calls than are kept apart, or has too long a name for one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The fields of an entry of ``tool_calls``, or of the entry to hand out; ``None`` for an absent one.

    ``is_json`` says that the arguments came as an object or array.
    """

    index: int | None
    id: str | None
    name: str | None
    args: str | None
    is_json: bool = False


class _Arguments:
    """How far the arguments of a call have come; next to nothing of them is kept."""

    __slots__ = ("_came_whole", "_reader", "_unread", "have_begun")

    def __init__(self) -> None:
        self.have_begun = False
        self._came_whole = False
        # Reads along, until the text is not valid JSON: a little later, for it is asked rarely.
        self._reader: JSONAssembler | None = JSONAssembler()
        self._unread = ""

    def are_whole(self) -> bool:
        """Return whether they are a complete JSON document so far, or came as an object or array."""
        self._read()
        return self._came_whole or (self._reader is not None and self._reader._could_end)

    def add(self, text: str, *, is_json: bool) -> None:
        """Take in the next piece of the arguments."""
        self.have_begun = True
        if is_json:
            self._came_whole = True
            self._reader = None
        if self._reader is not None:
            self._unread += text
            if len(self._unread) > _UNREAD_SIZE:
                self._read()

    def _read(self) -> None:
        if self._reader is not None:
            self._reader.feed(self._unread)
            self._reader._forget()
            if self._reader.failure is not None:
                self._reader = None
        self._unread = ""


class _Call:
    """One call: the index it is handed out with, its id, and the pieces of its name."""

    __slots__ = ("_name", "_name_length", "_name_size", "arguments", "id", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        self.id: str | None = None
        self._name: list[str] = []
        self._name_length = self._name_size = 0
        self.arguments = _Arguments()

    def is_followed_by(self, entry: Entry) -> bool:
        """Return whether ``entry``, which looks as if it belonged to this call, begins the next one."""
        if entry.name is None:
            return False
        if self.id is not None and entry.id is not None and entry.id != self.id:
            return True
        if not self._is_called(entry.name) and self.arguments.have_begun:
            return True
        repeats_id = entry.id is not None and entry.id == self.id
        return bool(entry.args and entry.args.strip(_BLANK)) and not repeats_id and self.arguments.are_whole()

    def add(self, entry: Entry) -> Entry:
        """Add ``entry`` to the call, and return the part of it to hand out."""
        id = entry.id if self.id is None else None
        if id is not None:
            _check_size(len(id.encode()))
            self.id = id
        name = entry.name
        if name is not None and self._is_called(name):
            name = None
        if name is not None:
            self._name_size += len(name.encode())
            _check_size(self._name_size)
            self._name.append(name)
            self._name_length += len(name)
        if entry.args:
            self.arguments.add(entry.args, is_json=entry.is_json)
        return Entry(self.index, id, name, entry.args)

    def _is_called(self, name: str) -> bool:
        """Return whether ``name`` is the whole name of the call so far."""
        return len(name) == self._name_length and name == "".join(self._name)


class Tools:
    """The tool calls of one choice."""

    __slots__ = ("_by_id", "_by_index", "_highest", "_last", "_taken")

    def __init__(self) -> None:
        self._by_id: dict[str, _Call] = {}
        # The newest call begun under each index.
        self._by_index: dict[int, _Call] = {}
        self._taken: set[int] = set()
        self._highest = -1
        self._last: _Call | None = None

    @property
    def have_begun(self) -> bool:
        """Whether a call has begun."""
        return self._last is not None

    def settle_piece(self, index: int, args: str) -> int | None:
        """Return the index to hand out an entry with that has nothing beside ``index`` and ``args``.

        ``None`` says that no call has begun under this index.
        """
        call = self._by_index.get(index)
        if call is None:
            return None
        self._last = call
        if args:
            call.arguments.add(args, is_json=False)
        return call.index

    def settle(self, entry: Entry, *, is_whole: bool) -> Entry:
        """Return the part of ``entry`` to hand out, under the index of the call it belongs to.

        ``is_whole`` says that it stands in a whole message. Raises :class:`LimitPassedError`.
        """
        call = None if is_whole else self._find(entry)
        if call is None or call.is_followed_by(entry):
            call = self._begin(entry.index)
        self._last = call
        added = call.add(entry)
        if added.id is not None:
            self._by_id[added.id] = call
        return added

    def _find(self, entry: Entry) -> _Call | None:
        """Return the call that ``entry`` seems to belong to; if there is none, it begins one."""
        if entry.index is not None:
            return self._by_index.get(entry.index)
        if entry.id is not None:
            return self._by_id.get(entry.id)
        return self._last

    def _begin(self, wire_index: int | None) -> _Call:
        if len(self._taken) == MAX_CALLS:
            raise LimitPassedError(f"a choice has more than {MAX_CALLS} tool calls")
        index = wire_index
        if index is None or index in self._taken:
            index = self._highest + 1
        if index > MAX_INDEX:
            index = next(free for free in range(MAX_CALLS) if free not in self._taken)
        self._taken.add(index)
        self._highest = max(self._highest, index)
        call = _Call(index)
        self._by_index[index if wire_index is None else wire_index] = call
        return call


def _check_size(size: int) -> None:
    if size > MAX_SIZE:
        raise LimitPassedError(f"the id or the name of a tool call grew past {MAX_SIZE} bytes")
