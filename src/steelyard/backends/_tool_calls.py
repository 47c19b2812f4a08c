"""Function calls of a chat model, from one message or put together from a stream."""

import msgspec

from steelyard.core import Json, ToolCall


class Function(msgspec.Struct, frozen=True):
    """The called function, or a piece of it."""

    name: str | None = None
    arguments: Json = None
    """JSON text; some services send the object itself."""


class Call(msgspec.Struct, frozen=True):
    """One entry of ``tool_calls``, whole in a message and piecewise in a stream."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


def whole_call(call: Call) -> ToolCall:
    """The call that one entry of a finished message is."""
    function = call.function or _NOTHING
    return ToolCall(function.name or "", _text(function.arguments), call.id or "")


class Assembly:
    """The calls of one streamed message, in the order in which they began.

    Pieces belong together by ``index``. Services that leave it out or always send the same one
    are understood by the id: a named function with another id is another call.
    """

    def __init__(self) -> None:
        self._calls: list[_Open] = []
        self._at: dict[int | None, _Open] = {}

    def add(self, pieces: list[Call]) -> bool:
        """Take one event's pieces; true when they carried a name or some argument text."""
        carried = False
        for piece in pieces:
            function = piece.function or _NOTHING
            name, arguments = function.name or "", _text(function.arguments)
            call = self._at.get(piece.index)
            if call is None or (name and call.name and _has_another_id(piece, call)):
                call = self._at[piece.index] = _Open(name="", id="", arguments=[])
                self._calls.append(call)
            call.name = call.name or name
            call.id = call.id or piece.id or ""
            call.arguments.append(arguments)
            carried = carried or bool(name or arguments)
        return carried

    def calls(self) -> tuple[ToolCall, ...]:
        """The calls as far as they have come."""
        return tuple(ToolCall(call.name, "".join(call.arguments), call.id) for call in self._calls)


class _Open(msgspec.Struct):
    """A call that is still being written."""

    name: str
    id: str
    arguments: list[str]


def _has_another_id(piece: Call, call: _Open) -> bool:
    return piece.id != call.id if piece.id else piece.index is None


def _text(arguments: Json) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()


_NOTHING = Function()
