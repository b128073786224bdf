"""
The chunk that nearly all of a streamed chat completion is made of: text of a choice that has begun, and goes on.

For each of thousands, so nothing of ours is called here, and no more is looked at than has to be: the same by
`ChatAccumulator.add` takes six times as long. What is not quite like that is raised; if it is a piece of a thought, or
of what a tool is called with, `taking_rarer` takes it in, in half of the steps or less, and anything else is left to
that one. Tests hold all three to one answer.

To find the text in what is written, before anybody parses it, takes as long or longer: a method of a `str` takes as
long as two or three looks into a dictionary, and some five are needed where chunks are padded.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .._guard import guarded
from ._formats import UNUSUAL, Build
from ._texts import Pieces

Otherwise = Callable[[object], None]
"""Takes in any chunk."""

Delta = dict[str, object]
"""A part of a message, as JSON has it."""


Place = tuple[int, str | int]
"""The index of a choice, and what goes on in it: the name of one of its rarer texts, or the index of a tool call."""

TOOL_CALLS: Final = "tool_calls"

MEMBERS: Final = frozenset(
    {"content", "reasoning", "reasoning_content", "refusal", TOOL_CALLS, "function_call", "audio", "executed_tools"}
)
"""What of a delta is read."""

EMPTY: Final = (None, "")


def taking(build: Build, otherwise: Otherwise, pieces: Mapping[int, Pieces], text_alone: Delta) -> Build:
    """
    *build*, which takes in what it makes a chunk of.

    Args:
        build: Makes it.
        otherwise: Takes in any other.
        pieces: Of those choices that have begun and go on, by their index, where a piece of their text goes.
        text_alone: A delta of several members that is text and nothing else; its own text may be overwritten.
    """

    def process(*, data: Any, cast_to: object, response: object) -> object:
        try:
            (choice,) = data["choices"]
            delta = choice["delta"]
            if len(delta) > 1:
                text_alone["content"] = delta["content"]
                if delta != text_alone:
                    raise LookupError
            if choice["finish_reason"] is not None or data.get("usage") is not None:
                raise LookupError
            pieces[choice["index"]].append(delta["content"])
        except UNUSUAL:
            otherwise(data)
        except BaseException:
            with guarded("reading an event"):
                raise
        return build(data=data, cast_to=cast_to, response=response)

    return process


def taking_off_usage(build: Build, otherwise: Otherwise, pieces: Mapping[int, Pieces], text_alone: Delta) -> Build:
    """The same, where each chunk has a usage, null in all but the last, because we asked for it: it is taken off."""

    def process(*, data: Any, cast_to: object, response: object) -> object:
        try:
            (choice,) = data["choices"]
            delta = choice["delta"]
            if len(delta) > 1:
                text_alone["content"] = delta["content"]
                if delta != text_alone:
                    raise LookupError
            if choice["finish_reason"] is not None or data["usage"] is not None:
                raise LookupError
            pieces[choice["index"]].append(delta["content"])
            del data["usage"]
        except UNUSUAL:
            otherwise(data)
        except BaseException:
            with guarded("reading an event"):
                raise
        return build(data=data, cast_to=cast_to, response=response)

    return process


def taking_rarer(otherwise: Otherwise, pieces: Mapping[Place, Pieces], *, takes_off_usage: bool) -> Otherwise:
    """
    What takes in a piece of a thought, of a refusal, or of what a tool is called with, if nothing else is in the chunk.

    Args:
        otherwise: Takes in any other.
        pieces: Where pieces go of what has begun and goes on.
        takes_off_usage: As in `taking_off_usage`.
    """

    def take(data: Any) -> None:
        try:
            (choice,) = data["choices"]
            if choice["finish_reason"] is not None or data.get("usage") is not None:
                raise LookupError
            ((name, piece),) = [each for each in choice["delta"].items() if each[0] in MEMBERS and each[1] not in EMPTY]
            place = choice["index"], name
            if name == TOOL_CALLS:
                (call,) = piece
                function, name = call["function"], call["index"]
                if type(name) is not int or call.get("id") is not None or function.get("name") is not None:
                    raise LookupError
                place, piece = (choice["index"], name), function["arguments"]
            goes_to = pieces[place]
            if takes_off_usage:
                data.pop("usage", None)
            goes_to.append(piece)  # last: what is left to the other one has not been taken in here
        except UNUSUAL:
            otherwise(data)
        except BaseException:
            with guarded("reading an event"):
                raise

    return take
