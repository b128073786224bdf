"""
Of a call that LiteLLM tells of, what has to be on disk and what is kept of the rest, where nothing about it is unusual.

LiteLLM tells of a call on threads of its own, on which nothing of ours is in the processor's caches. So as little as
can be is done there: the usage and the ids are written down, and texts are kept for the thread that sends. All is read
from the logging payload, which is plain dictionaries: the answer itself is the application's, which may change it.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import orjson

from .._capture import snapshot
from .._record import Outcome, UnixNanos
from ._chat import OUTCOMES, completion, message_of
from ._lean import NAMES, SIGNS_OF_AN_ERROR
from ._litellm_content import ANSWER, MESSAGE, REDACTED
from ._litellm_money import REPORTS_COST, is_free
from ._litellm_names import PROVIDERS, attempt_of
from ._native_usage import MARKS
from ._parameters import numbers_in
from ._reading import MAX_AMOUNT, MAX_COUNT, as_fields, as_items, as_name, dig
from ._reported_cost import COST_NAMES

CHATS: Final = frozenset({"completion", "acompletion"})

ODD: Final = frozenset({*SIGNS_OF_AN_ERROR, "type", "content", "text"})
"""Members of an answer that failed, that is no chat completion, or that LiteLLM has taken the text out of."""

ODD_IN_USAGE: Final = COST_NAMES | MARKS
"""A price, of which `cost_in` says whose word goes first, and the counts of other APIs."""

CONTAINERS: Final[frozenset[type]] = frozenset({dict, list})

SCALAR_BYTES: Final = 8
MAX_MESSAGES: Final = 1_000
"""`snapshot` knows what to do with more."""

Members = dict[str, Any]
"""A JSON object."""


class LeanCall:
    """
    A chat completion that went well and came in one piece. See `LiteLLMCall` for the first three.

    Attributes:
        key: LiteLLM's id of the call.
        attempt: What tells its attempts apart.
        parameters: Request parameters that are numbers.
        price: LiteLLM's, in US dollars, as digits; empty where it has none.
        word: LiteLLM's word for the provider.
        model: LiteLLM's word for the model that was asked for.
        api_base: The address that was called.
        response_id: The provider's id of the answer.
        members: The lean part of the answer, as in `Lean`: nobody else's, and not to be changed.
        answer: The same as JSON.
        started: When.
        ended: Until when.
        messages: What was asked.
        choices: What was answered, as the answer has it.
        size_bytes: Roughly what these two occupy.
    """

    __slots__ = (
        "answer", "api_base", "attempt", "choices", "ended", "key", "members", "messages", "model", "parameters",
        "price", "response_id", "size_bytes", "started", "word",
    )  # fmt: skip

    key: str
    attempt: object
    parameters: Mapping[str, float]
    price: bytes
    word: str
    model: str | None
    api_base: str | None
    response_id: str
    members: Members
    answer: bytes
    started: UnixNanos
    ended: UnixNanos
    messages: object
    choices: object
    size_bytes: int


def lean_litellm(call: Any, answer: Any) -> LeanCall | None:
    """
    What a callback was told of a success.

    Args:
        call: Its ``kwargs``.
        answer: Its ``response_obj``.

    Returns:
        `None` where something is unusual; then `read_litellm` reads it at once.
    """
    said, payload = call.get, call.get("standard_logging_object")
    if payload.__class__ is not dict or not _is_usual(call, payload):
        return None
    told: Any = payload.get
    response, word = told("response"), said("custom_llm_provider")
    started, ended = _instant(told("startTime")), _instant(told("endTime"))
    lean, price = _lean(response, word), _price(said("response_cost"))
    if price == b"" and is_free(call):
        price = FREE
    if lean is None or price is None or started is None or ended is None:
        return None
    made = LeanCall()
    made.response_id, made.members, made.answer = lean
    if made.response_id != (answer.get("id") if answer.__class__ is dict else getattr(answer, "id", None)):
        return None
    made.price = price
    made.key, made.attempt = str(said("litellm_call_id")), attempt_of(call, payload)
    made.parameters = numbers_in(as_fields(said("optional_params")))
    made.word, made.model = word, as_name(told("model")) or as_name(said("model"))
    made.api_base = as_name(told("api_base")) or as_name(dig(call, "litellm_params", "api_base"))
    made.started, made.ended = started, ended if ended > started else started
    made.messages, asked_bytes = _messages(told("messages"))
    made.choices, answered_bytes = _choices(response["choices"])
    made.size_bytes = asked_bytes + answered_bytes
    return made


def _is_usual(call: Any, payload: Any) -> bool:
    """Whether it is a chat completion that was sent and paid for, in one piece, at LiteLLM's price."""
    said, messages, breakdown = call.get, payload.get("messages"), as_fields(payload.get("cost_breakdown")).get
    kind, word = said("call_type"), said("custom_llm_provider")
    return (
        kind.__class__ is str
        and kind in CHATS
        and word.__class__ is str
        and word != ""
        and PROVIDERS.get(word, word) not in REPORTS_COST
        and said("cache_hit") is not True
        and said("stream") is not True
        and payload.get("stream") is not True
        and not said("litellm_no_upstream_llm_call")
        and not breakdown("discount_amount")
        and not breakdown("margin_total_amount")
        and messages.__class__ is list
        and (not messages or _is_plain(messages[0]))
    )


def _is_plain(message: Any) -> bool:
    """Whether it is a message, and not what LiteLLM leaves of one; see `is_redacted`."""
    return message.__class__ is dict and message.get(MESSAGE) != REDACTED and message.get(ANSWER) != REDACTED


def _lean(response: Any, word: str) -> tuple[str, Members, bytes] | None:
    """The id of an answer, all of it that is no content, JSON of that; `None` where something about it is unusual."""
    if response.__class__ is not dict or not ODD.isdisjoint(response):
        return None
    said = response.get
    usage, choices = _copied(said("usage")), said("choices")
    if usage is None:
        return None
    if choices.__class__ is not list or len(choices) != 1 or choices[0].__class__ is not dict or "error" in choices[0]:
        return None
    lean: Members = {}
    for name in NAMES:
        text = said(name)
        if text.__class__ is str:
            lean[name] = text
        elif text is not None:
            return None
    response_id, model = lean.get("id"), lean.get("model")
    if not response_id or not model or response_id.startswith(PACKED) or said("object") == "error":
        return None
    lean["model"] = model.removeprefix(f"{word}/") or model
    lean["usage"] = usage
    try:
        return response_id, lean, orjson.dumps(lean)
    except TypeError:  # a count of more than 64 bits, half a surrogate pair
        return None


def _copied(usage: Any) -> Members | None:
    """A copy of a usage that is one of counts, with nothing else in it; `None` of any other."""
    if usage.__class__ is not dict or not is_of_counts(usage):
        return None
    copy: Members = usage.copy()
    for name, each in copy.items():
        if each.__class__ is dict:
            copy[name] = parts = each.copy()
            for part in parts.values():
                if part.__class__ is not int and part is not None:
                    return None
        elif each.__class__ is not int and each is not None:
            return None
    return copy


def is_of_counts(usage: Any) -> bool:
    """Whether anything was counted, as OpenAI counts: of nothing but zeros LiteLLM's own totals are looked at."""
    if not ODD_IN_USAGE.isdisjoint(usage) and any(usage.get(name) is not None for name in ODD_IN_USAGE):
        return False
    asked, answered = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if asked.__class__ is int and 0 < asked <= MAX_COUNT:
        return True
    return answered.__class__ is int and bool(0 < answered <= MAX_COUNT)


def counted(usage: object) -> Mapping[str, object]:
    """What a usage says, and its details, but for what was not there: LiteLLM writes null or 0 for that."""
    found: dict[str, object] = {}
    for name, count in as_fields(usage).items():
        if type(count) is dict:
            found.update({f"{name}.{part}": each for part, each in cast("Members", count).items() if each})
        elif count:
            found[name] = count
    return found


PACKED: Final = "resp_"
"""How ids begin that LiteLLM may have made of others'."""


def _messages(messages: list[Any]) -> tuple[object, int]:
    """A copy of a conversation, as `snapshot` makes it, and roughly its size; nearly all hold nothing but texts."""
    if len(messages) > MAX_MESSAGES:
        return snapshot(messages)
    size = 0
    kept: list[Members] = []  # `list[Members]()` takes twenty times as long
    for message in messages:
        if message.__class__ is not dict:
            return snapshot(messages)
        copy = message.copy()
        kept.append(copy)
        size += SCALAR_BYTES * len(copy)
        for part in copy.values():
            if part.__class__ is str:
                size += len(part)
            elif part is not None:
                return snapshot(messages)
    return kept, size


def _choices(choices: list[Any]) -> tuple[object, int]:
    """The same of one choice, as far as a reader asks for it."""
    choice: Any = choices[0]
    message: Any = choice.get("message")
    if message.__class__ is not dict:
        return snapshot(choices)
    size, copy = 0, message.copy()
    for part in copy.values():
        if part.__class__ is str:
            size += len(part)
        elif part and part.__class__ in CONTAINERS:
            return snapshot(choices)
    said = choice.get
    ending = {"finish_reason": said("finish_reason"), "native_finish_reason": said("native_finish_reason")}
    ending["message"] = copy
    return [ending], size


def content_alone(choices: object) -> Outcome:
    """What `LeanCall.choices` say of the answer's content and end: the reading of a usage is most of a reading."""
    read = OUTCOMES.begin()
    for choice in as_items(choices):  # there is one
        reason = as_name(dig(choice, "finish_reason"))
        read.finish_reasons = () if reason is None else (reason,)
        read.native_finish_reason = as_name(dig(choice, "native_finish_reason"))
        read.output = completion([message_of(choice)])
    return OUTCOMES.end(read)


def _price(reckoned: Any) -> bytes | None:
    """
    The digits of LiteLLM's price, as `as_exact` has them. It says 0 of what it has no price for.

    Returns:
        `None` for what it never says: to be looked at with care.
    """
    if reckoned is None:
        return b""
    if reckoned.__class__ is not float or not 0 <= reckoned <= MAX_AMOUNT:
        return None
    if not reckoned:
        return b""
    digits = orjson.dumps(reckoned)  # a fifth of what it takes to round it to 15 digits, which few need
    is_exact = len(digits) <= EXACT_DIGITS and reckoned > LEAST
    return digits.removesuffix(b".0") if is_exact else b"%.15g" % reckoned


FREE: Final = b"0"

EXACT_DIGITS: Final = 15
LEAST: Final = 1e-300
"""Below that a number has fewer digits of its own."""


def _instant(value: Any) -> UnixNanos | None:
    """Seconds since 1970, to the microsecond; `None` of what is no instant of a call."""
    if value.__class__ is not float or value < 1:
        return None
    microseconds: Any = round(value * 1_000_000)
    instant: UnixNanos = microseconds * 1_000  # `UnixNanos(…)` would be one more call
    return instant
