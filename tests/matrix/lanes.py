"""What is watched in a lane of the matrix, and which records follow from the model server's books."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ramp_tracing._record import Generation

from .answers import TOOL
from .model_server import Exchange
from .stacks import NAME, TRACE, Stack

LANES: Final[Mapping[str, frozenset[str]]] = {
    "all": frozenset({"openai", "anthropic", "litellm", "langchain"}),
    "openai alone": frozenset({"openai"}),
    "anthropic alone": frozenset({"anthropic"}),
    "litellm alone": frozenset({"litellm"}),
    "langchain alone": frozenset({"langchain"}),
}
"""Name → the libraries that are watched."""

PRECEDENCE: Final = ("litellm", "openai", "anthropic", "langchain")
"""Of those that see a call, the first records it."""

CLIENTS: Final = frozenset({"openai", "anthropic"})
"""Those that have the exchange with the server."""

ANY: Final = "any"
"""What is not compared, because more than one value would be right."""

NOBODY: Final[Mapping[str, Any]] = {"customer": None, "user": None, "trace": None, "name": None}


def expected(books: Sequence[Exchange], stack: Stack, watched: frozenset[str], *, batch: bool) -> list[dict[str, Any]]:
    """One row for each request of *books* that something in *watched* can see."""
    rows = [_row(each, stack, watched, batch=batch) for each in books if watched & _layers(each, stack)]
    return rows


def _layers(exchange: Exchange, stack: Stack) -> frozenset[str]:
    """Through which libraries of ours it went; a tool asks with the openai client itself."""
    return frozenset({"openai"}) if exchange.kind == "direct" else frozenset(stack.layers)


def _row(exchange: Exchange, stack: Stack, watched: frozenset[str], *, batch: bool) -> dict[str, Any]:
    seen_by = watched & _layers(exchange, stack)
    held = exchange.end == "held"
    return {
        # Of a call that is not brought to its end LiteLLM says nothing: who saw the exchange records it.
        "library": ANY
        if held and seen_by >= {"litellm", "openai"}
        else next(each for each in PRECEDENCE if each in seen_by),
        # Only a client's answers have their ids whichever library gives them on.
        "id": exchange.id if seen_by & CLIENTS and exchange.end == "whole" else ANY,
        "tokens": ANY if held else exchange.tokens if exchange.reported else None,
        # An agent's step that runs on a thread goes on to its end when the application has gone.
        "failed": ANY if held and not stack.names_calls else exchange.end != "whole",
        **_names(exchange, stack, watched, batch=batch),
    }


def _names(exchange: Exchange, stack: Stack, watched: frozenset[str], *, batch: bool) -> Mapping[str, Any]:
    """What was said to the uppermost library, if that one is watched."""
    question = 0 if batch and stack.one_owner_for_batch else exchange.question
    who = {"customer": f"customer-{question}", "user": f"user-{question}", "trace": TRACE}
    if exchange.kind == "direct":
        return {**who, "name": TOOL}
    if stack.layers[0] not in watched:
        return NOBODY
    return {**who, "name": NAME if stack.names_calls else ANY}


def found(records: Sequence[Generation], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of *records*; what no row of *rows* has a value for is not compared."""
    said = [_said(each) for each in records]
    rest, paired = list(rows), []
    for each in said:  # pair it with a row that it fits, and take over what the row leaves open
        fitting = next((row for row in rest if all(row[name] in (ANY, each[name]) for name in each)), None)
        if fitting is not None:
            rest.remove(fitting)
            each = {name: ANY if fitting[name] == ANY else value for name, value in each.items()}
        paired.append(each)
    return paired


def _said(record: Generation) -> dict[str, Any]:
    who, usage = record.attribution, record.usage
    counts = (usage.input_tokens, usage.output_tokens)
    return {
        "library": record.library,
        "id": record.response_id,
        "tokens": None if usage.estimated or counts == (None, None) else counts,
        "failed": record.failure is not None,
        "customer": who.metadata.get("customer"),
        "user": who.user,
        "trace": who.trace_name,
        "name": who.generation_name,
    }


def invented(records: Sequence[Generation], books: Sequence[Exchange]) -> list[Generation]:
    """Those that count more than the server has, without saying that it is an estimate."""
    return [each for each in records if not each.usage.estimated and not _is_from(each, books)]


def _is_from(record: Generation, books: Sequence[Exchange]) -> bool:
    asked, answered = record.usage.input_tokens, record.usage.output_tokens
    return any(asked in (None, each.tokens[0]) and (answered or 0) <= each.tokens[1] for each in books)


def shown(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a row, so that a difference can be read."""
    return sorted(" ".join(f"{name}={value}" for name, value in row.items()) for row in rows)
