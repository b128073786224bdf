"""
The chunk that nearly all of a streamed chat completion is made of: text of a choice that has begun, and goes on.

For each of thousands, so nothing of ours is called here, and no more is looked at than has to be: the same by
`ChatAccumulator.add` takes four times as long. What is not quite like that is raised, and that one's. A test holds the
two to one answer.
"""

from collections.abc import Callable, Mapping
from typing import Any

from .._guard import guarded
from ._formats import UNUSUAL, Build
from ._texts import Pieces

Otherwise = Callable[[object], None]
"""Takes in any chunk."""

Delta = dict[str, object]
"""A part of a message, as JSON has it."""


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
