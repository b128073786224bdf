"""
Of an answer that LangChain tells of, the part that is no content, where there is nothing unusual about it.

What `_lean` is for answers as they came over the wire. It is what an application waits for, and takes a tenth of what
reading the answer takes. Whatever is unusual has no lean part, and is read at once.
"""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final, cast

import orjson

from .._capture import snapshot
from ._formats import WireFormat
from ._langchain import FINISH, MODEL, OWN_IDS, SAID, TOLD, read_langchain
from ._plain import PlainAccumulator
from ._reading import MAX_COUNT, as_name
from ._shapes import DIGITS, is_plain, members_of

COSTS: Final = ("cost", "cost_details", "response_cost")
"""What gateways say beside an answer: those answers are read at once."""

NAMES: Final = (*MODEL, *FINISH, "native_finish_reason", "service_tier", *COSTS)

NAMES_IN_USAGE: Final = ("service_tier", "inference_geo")
"""Of a usage as the provider sent it, what ``usage_metadata`` does not say and has no price of its own."""

COUNTS: Final = frozenset((
    "cache_creation", "cache_creation_input_tokens", "cache_read_input_tokens", "completion_tokens",
    "completion_tokens_details", "input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details",
    "prompt_tokens", "prompt_tokens_details", "total_tokens",
))  # fmt: skip
"""Of the same, what nobody reads where there is a ``usage_metadata``, which says it already."""

TOKENS_ALONE: Final = frozenset({"function_call", "reasoning", "redacted_thinking", "text", "thinking", "tool_use"})
"""Blocks of an answer that are no calls of tools which the provider bills one by one."""

MAX_KNOWN: Final = 256
"""What is remembered of each kind: an application asks a handful of models, and answers end in a handful of ways."""

MAX_SHAPE_BYTES: Final = 1_024
"""A usage that is longer has names of its own making in it."""

MAX_NAMES_CHARACTERS: Final = 200
"""A longer name is none, and would be remembered for nothing."""

Members = dict[str, Any]
Names = tuple[str, ...]
Values = tuple[object, ...]
Form = tuple[Names, Callable[[Members], Values]]
"""Which of `NAMES` an answer has, and what they are in one that has the same keys."""


class LeanResult:
    """
    What is kept of an ``LLMResult``; none of it can be changed by the application.

    Attributes:
        answer: JSON, of which `read_langchain` says what it says of the whole, but for the output.
        response_id: The provider's id.
        message: What the message has that is content.
        size_bytes: Roughly what is kept.
    """

    __slots__ = ("answer", "message", "response_id", "size_bytes")

    answer: bytes
    response_id: str | None
    message: Members
    size_bytes: int

    def restored(self) -> object:
        """All that was kept, as the ``LLMResult`` that it was."""
        result: Any = orjson.loads(self.answer)
        result["generations"][0][0]["message"].update(self.message)
        return result


def lean_langchain(result: Any) -> LeanResult | None:
    """What is to be kept of an ``LLMResult``; `None` where something about it is unusual."""
    try:
        return _lean(result)
    except (AttributeError, LookupError, TypeError, ValueError):  # it has another form, or holds what is no JSON
        return None


def _lean(result: Any) -> LeanResult | None:
    # To ask an object of LangChain's for its members at once costs as much as to ask it for one.
    members: Members = result.__dict__
    generations, output = members["generations"], members["llm_output"]
    ((answer,),) = generations
    members = answer.__dict__
    info, message = members["generation_info"], members["message"].__dict__
    metadata, said = message["response_metadata"], message["usage_metadata"]
    if not (type(metadata) is type(said) is dict and type(generations) is type(generations[0]) is list):
        return None
    if type(info) not in MAYBE_MEMBERS or type(output) not in MAYBE_MEMBERS:
        return None
    for name in info or ():
        if name not in metadata:
            metadata = {**info, **metadata}
            break
    names, usage, content = _names(metadata, output), _usage(said), _content(message)
    if names is None or usage is None or content is None:
        return None
    response_id = metadata.get("id") or message["id"]
    if type(response_id) is not str or not response_id or response_id.startswith(OWN_IDS):
        response_id = _unusual_id(metadata, message)
    kept = LeanResult()
    kept.answer = b"".join((BEFORE_ID, orjson.dumps(response_id), names, BEFORE_USAGE, usage, BEHIND_USAGE))
    kept.response_id, (kept.message, size_bytes) = response_id, content
    kept.size_bytes = size_bytes + len(kept.answer)
    return kept


MAYBE_MEMBERS: Final = (dict, type(None))
"""What LangChain's objects hold; of anything else no method is called."""

BEFORE_ID: Final = b'{"generations":[[{"message":{"id":'
BEFORE_USAGE: Final = b',"usage_metadata":'
BEHIND_USAGE: Final = b"}}]]}"


def _unusual_id(metadata: Members, message: Members) -> str | None:
    response_id = as_name(metadata.get("id")) or as_name(message["id"])
    return None if response_id is None or response_id.startswith(OWN_IDS) else response_id


def _content(message: Members) -> tuple[Members, int] | None:
    """What a message has that is content, and roughly its size; `None` where it may have calls of hosted tools."""
    content, calls, more = message["content"], message["tool_calls"], message["additional_kwargs"]
    kind = type(more)  # pyright: ignore[reportUnknownVariableType]
    if kind is not dict:
        return None
    if type(content) is str and not calls and CONTENT.isdisjoint(more):
        return {"content": content}, len(content)
    if "tool_outputs" in more or not (type(content) is str or _are_of_tokens(content)):
        return None
    kept = {"content": content, "tool_calls": calls, "additional_kwargs": {name: more.get(name) for name in CONTENT}}
    return cast("tuple[Members, int]", snapshot(kept))


CONTENT: Final = frozenset({"reasoning", "reasoning_content", "tool_outputs"})
"""What is read of ``additional_kwargs``."""


def _are_of_tokens(content: Any) -> bool:
    kind = type(content)  # pyright: ignore[reportUnknownVariableType]
    return kind is list and all(type(each) is dict and each.get("type") in TOKENS_ALONE for each in content)  # pyright: ignore[reportUnknownMemberType]


def _usage(said: Members) -> bytes | None:
    """The JSON of a ``usage_metadata`` that says all by itself; `None` of any other."""
    given = said["input_tokens"]
    if type(given) is not int or not 0 < given <= MAX_COUNT or "total_cost" in said:
        return None
    usage = orjson.dumps(said)
    shape = usage.translate(None, DIGITS)
    return usage if shape in _known_usages or _new_usage(shape, usage) else None


def _new_usage(shape: bytes, usage: bytes) -> bool:
    """Whether a usage is counts alone, and with it all that differ from it in their digits."""
    if not is_plain(members_of(usage)):
        return False
    if len(shape) <= MAX_SHAPE_BYTES:
        _remember(_known_usages, shape, None)
    return True


def _names(metadata: Members, output: Members | None) -> bytes | None:
    """The JSON of the names that are said beside an answer, with what stands before it; `None` of anything else."""
    raw = metadata.get(TOLD) or metadata.get(SAID)
    if not raw and output:
        raw = output.get(TOLD) or output.get(SAID)
    keys = tuple(metadata)
    names, values_in = _known_forms.get(keys) or _new_form(keys)
    values = values_in(metadata)
    if raw:
        kind = type(raw)  # pyright: ignore[reportUnknownVariableType]
        if kind is not dict:
            return None
        if not COUNTS.issuperset(raw):
            more = {name: value for name, value in raw.items() if name not in COUNTS and value is not None}
            if more.keys() - NAMES_IN_USAGE:
                return None
            values += tuple(map(more.get, NAMES_IN_USAGE))
    return _known_names.get((names, values)) or _new_names(names, values, output)


def _new_form(keys: tuple[object, ...]) -> Form:
    names = tuple([name for name in NAMES if name in keys])
    form = names, _values_in(names)
    _remember(_known_forms, keys, form)
    return form


def _values_in(names: Names) -> Callable[[Members], Values]:
    if len(names) > 1:
        values: Callable[[Members], Values] = itemgetter(*names)  # a third of what it takes to look for each
        return values
    return lambda metadata: tuple(map(metadata.get, names))


def _new_names(names: Names, values: Values, output: Members | None) -> bytes | None:
    texts = [value for value in values if type(value) is str]
    if len(texts) + values.count(None) < len(values) or sum(map(len, texts)) > MAX_NAMES_CHARACTERS:
        return None
    there = {name: value for name, value in zip(names, values, strict=False) if value is not None}
    in_usage = dict(zip(NAMES_IN_USAGE, values[len(names) :], strict=False))
    if not there.keys().isdisjoint(COSTS):
        return None
    written = b',"response_metadata":' + orjson.dumps({**there, SAID: in_usage} if in_usage else there)
    if any(map(there.get, MODEL)):
        _remember(_known_names, (names, values), written)
    elif output:  # the model may be said there
        return None
    return written


def _remember(known: dict[Any, Any], what: object, answer: object) -> None:
    if len(known) >= MAX_KNOWN:
        known.clear()
    known[what] = answer


_known_forms: Final[dict[tuple[object, ...], Form]] = {}
_known_names: Final[dict[tuple[Names, Values], bytes]] = {}
_known_usages: Final[dict[bytes, None]] = {}
"""What is the same for nearly all answers of a model."""


def _nothing_asked(_body: Mapping[str, object]) -> object:
    return None


LANGCHAIN: Final = WireFormat(
    content=_nothing_asked,
    read=read_langchain,
    accumulator=PlainAccumulator.folding(read_langchain),  # LangChain itself folds what it tells of
    name="langchain",
)
"""No format of a wire: what a journal has of an answer that has not been read, for who finds it after a crash."""
