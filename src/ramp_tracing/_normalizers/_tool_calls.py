"""
Calls of functions and of custom tools that a streamed chat completion asks for: names come once, arguments in pieces.

A custom tool takes text: https://platform.openai.com/docs/guides/function-calling#custom-tools
"""

from collections.abc import Mapping

from ._reading import as_count, as_name, dig
from ._texts import Pieces, Text


class FunctionAccumulator:
    """A function's name and arguments: the whole of a ``function_call``, which is what came before tool calls."""

    __slots__ = ("_arguments", "_name")

    def __init__(self) -> None:
        self._name: str | None = None
        self._arguments = Text()

    def add(self, function: object) -> None:
        """Take in one piece."""
        self._name = self._name or as_name(dig(function, "name"))
        piece = as_name(dig(function, "arguments")) or as_name(dig(function, "input"))
        if piece is not None:
            self._arguments.write(piece)

    @property
    def arguments(self) -> Text:
        """What it is called with, as JSON."""
        return self._arguments

    def call(self) -> Mapping[str, object]:
        """The function in the shape of a whole answer."""
        return {"name": self._name, "arguments": self._arguments.read()}

    def custom(self) -> Mapping[str, object]:
        """A custom tool in the same shape."""
        return {"name": self._name, "input": self._arguments.read()}


class ToolCallAccumulator:
    """One tool call."""

    __slots__ = ("_function", "_id", "_is_custom")

    def __init__(self) -> None:
        self._id: str | None = None
        self._is_custom = False
        self._function = FunctionAccumulator()

    def is_another(self, call_id: str | None) -> bool:
        """Whether *call_id* belongs to another call than this one."""
        return call_id is not None and self._id is not None and call_id != self._id

    def add(self, call_id: str | None, call: object) -> None:
        """Take in one piece."""
        self._id = self._id or call_id
        custom = dig(call, "custom")
        if custom is not None:
            self._is_custom = True
        self._function.add(dig(call, "function") if custom is None else custom)

    @property
    def arguments(self) -> Text:
        """What its function is called with."""
        return self._function.arguments

    def call(self, index: int) -> Mapping[str, object]:
        """The call in the shape of a whole answer."""
        if self._is_custom:
            return {"id": self._id, "index": index, "type": "custom", "custom": self._function.custom()}
        return {"id": self._id, "index": index, "type": "function", "function": self._function.call()}


class ToolCallsAccumulator:
    """The tool calls of one choice."""

    __slots__ = ("_by_index", "_calls")

    def __init__(self) -> None:
        self._calls: list[ToolCallAccumulator] = []
        self._by_index: dict[int, ToolCallAccumulator] = {}

    def add(self, call: object) -> None:
        """Take in one piece. Gemini gives parallel calls the same index; there the id tells them apart."""
        index = as_count(dig(call, "index")) or 0
        call_id = as_name(dig(call, "id"))
        current = self._by_index.get(index)
        if current is None or current.is_another(call_id):
            current = self._by_index[index] = ToolCallAccumulator()
            self._calls.append(current)
        current.add(call_id, call)

    def arguments(self, index: int) -> Pieces | None:
        """Where pieces go of what the function of the last call at *index* is called with."""
        call = self._by_index.get(index)
        return None if call is None else call.arguments.pieces

    def join(self) -> None:
        """Make one of the last pieces of what each is called with."""
        for call in self._by_index.values():
            call.arguments.join()

    def calls(self) -> list[Mapping[str, object]]:
        """The calls in the shape of a whole answer, in the order in which they began."""
        return [call.call(index) for index, call in enumerate(self._calls)]
