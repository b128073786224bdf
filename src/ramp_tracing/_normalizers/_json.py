"""Answers as bytes."""

import json
from decimal import Decimal

import orjson


def parse(body: bytes) -> object:
    """
    The JSON value in *body*; `None` where it holds none (an HTML page with status 200).

    Money is read as `Decimal`, so that no digit is rounded on the way; only the slower standard parser can do that,
    and it is used only where a cost may be, or where the fast one gives up.
    """
    if body.find(b"cost") < 0:  # `in` takes a third longer
        try:
            return orjson.loads(body)
        except ValueError:  # NaN and Infinity are no JSON; servers written in Python send them all the same
            pass
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):  # a page, half an answer, a bomb of brackets
        return None


SSE_DATA = b"data:"


def parse_event(line: bytes) -> object:
    """The JSON value of a ``data:`` line of an event stream; `None` for any other line and for ``[DONE]``."""
    if not line.startswith(SSE_DATA):
        return None
    return parse(line[len(SSE_DATA) :].strip())
