"""What the receiver reads of a request, as strictly as a receiver may."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MAX_INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    A generation's span, as far as the counting needs it.

    Attributes:
        ids: Trace id and span id.
        marker: Which record of the application it is; empty for a span that is no generation's.
        input_tokens: `None` if it has none.
        cost: In US dollars; `None` if it has none.
    """

    ids: str
    marker: str
    input_tokens: int | None
    cost: float | None


def read_calls(body: bytes) -> list[Call]:
    """
    The spans of an OTLP request in JSON.

    Raises:
        ValueError: It is not one, or holds what a strict reader refuses: NaN, half a surrogate pair, an integer over 64
            bits.
    """
    try:
        return [_call(span) for span in _spans(orjson.loads(body))]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no OTLP request: {error!r}") from error


def _spans(document: Any) -> Iterator[Mapping[str, Any]]:
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def _call(span: Mapping[str, Any]) -> Call:
    attributes = {each["key"]: _value(each["value"]) for each in span["attributes"]}
    if len(attributes) != len(span["attributes"]):
        raise ValueError("an attribute is given twice")
    return Call(
        ids=f"{_hex(span['traceId'], 32)}/{_hex(span['spanId'], 16)}",
        marker=attributes["session.id"] if attributes.get("span.type") == "generation" else "",
        input_tokens=attributes.get("gen_ai.usage.input_tokens"),
        cost=attributes.get("gen_ai.usage.total_cost"),
    )


def _value(value: Mapping[str, Any]) -> Any:
    [(kind, content)] = value.items()
    if kind == "intValue" and not (type(content) is int and abs(content) <= MAX_INT64):
        raise ValueError("an integer is none, or over 64 bits")
    return content


def _hex(text: str, digits: int) -> str:
    if len(text) != digits or int(text, 16) == 0:
        raise ValueError("an id is not what OTLP calls one")
    return text
