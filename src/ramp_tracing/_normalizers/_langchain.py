"""
What LangChain tells a callback of a model's answer: an ``LLMResult``.

Providers' packages put counts in three places: ``usage_metadata`` of the message, which is inclusive, as ours is;
``response_metadata`` as the provider sent them; ``llm_output`` of models that complete texts.
https://reference.langchain.com/python/langchain_core/outputs/
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, cast

from .._record import NOTHING_READ, Cost, Drafts, Outcome, Usage, changed
from ._hosted_tools import tools_in_blocks, tools_in_usage
from ._openai_usage import read_usage
from ._reading import MAX_COUNT, as_amount, as_count, as_fields, as_items, as_name, dig
from ._reported_cost import read_cost
from ._service_tier import service_tier_in

TOTALS: Final = ("input_tokens", "output_tokens", "total_tokens")
PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "cache_read_tokens": ("input_token_details", "cache_read"),
    "input_audio_tokens": ("input_token_details", "audio"),
    "reasoning_tokens": ("output_token_details", "reasoning"),
    "output_audio_tokens": ("output_token_details", "audio"),
}
"""Count → where it is in ``usage_metadata``."""

CACHE_WRITES: Final[Mapping[str, str]] = {
    "cache_write_tokens": "cache_creation",
    "cache_write_5m_tokens": "ephemeral_5m_input_tokens",
    "cache_write_1h_tokens": "ephemeral_1h_input_tokens",
}
"""Count → where it is in the details of the input. Where writes are said by lifetime, the first is 0 there."""

TIERS: Final = ("", "priority_", "flex_")
"""How the names of parts begin: OpenAI's package puts the tier there, where it is not the ordinary one."""

BY_TIER: Final = frozenset(
    tier + key for tier in TIERS[1:] for key in (*CACHE_WRITES.values(), *(key for _, key in PARTS.values()))
)
"""Parts under the name of a tier."""

NOTHING: Final[Mapping[str, object]] = {}

OUTCOMES: Final = Drafts(Outcome)
USAGES: Final = Drafts(Usage)

MODEL: Final = ("model_name", "model", "model_id")
FINISH: Final = ("finish_reason", "stop_reason", "stopReason", "done_reason", "status")
TOLD, SAID = "token_usage", "usage"
"""What packages call the same thing in the metadata of an answer."""

LOOSE: Final = frozenset({"prompt_eval_count", "eval_count"})
"""Counts of Ollama's, which its completion model hands on as they came: beside everything else."""

OWN_IDS: Final = ("lc_", "lc-", "run-", "run--")
"""How the ids begin that LangChain makes up itself."""


def part(value: object, name: str) -> object:
    """A member of what is one of LangChain's objects, or was one: this is on the hot path."""
    return value.get(name) if type(value) is dict else getattr(value, name, None)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


class Answer:
    """
    One answer, looked into once: this is on the hot path.

    Attributes:
        message: The message; `None` of a model that completes texts.
        written: What it says.
        more: ``additional_kwargs``.
        metadata: What the provider says beside it, ``response_metadata`` before ``generation_info``.
        said: ``usage_metadata``.
        generation: The answer itself.
    """

    __slots__ = ("generation", "message", "metadata", "more", "said", "written")

    def __init__(self, generation: object) -> None:
        self.generation = generation
        self.message = part(generation, "message")
        self.written = part(self.message, "content")
        self.more = as_fields(part(self.message, "additional_kwargs"))
        metadata = as_fields(part(self.message, "response_metadata"))
        info = as_fields(part(generation, "generation_info"))
        self.metadata: Mapping[str, object] = {**info, **metadata} if info else metadata
        self.said = as_fields(part(self.message, "usage_metadata"))

    def name(self, keys: tuple[str, ...]) -> str | None:
        """The first text that the metadata have under one of *keys*."""
        for key in keys:
            name = as_name(self.metadata.get(key))
            if name is not None:
                return name
        return None


def read_langchain(result: object, tools: object = None) -> Outcome:
    """
    What an ``LLMResult`` says. An answer from LangChain's cache is free; its counts are what was saved.

    Args:
        result: Of ``on_llm_end``, or the partial one of ``on_llm_error``.
        tools: Those that the model was given: which version of one it is, an answer does not say.
    """
    answers = [Answer(each) for each in _answers_in(result)]
    if not answers:
        return NOTHING_READ
    first, output = answers[0], as_fields(part(result, "llm_output"))
    raw = _raw_usage(first, output)
    read = OUTCOMES.begin()
    read.response_id = _own_id(first)
    read.response_model = first.name(MODEL) or as_name(output.get("model_name"))
    read.finish_reasons = tuple([reason for each in answers if (reason := each.name(FINISH))])
    read.native_finish_reason = as_name(first.metadata.get("native_finish_reason"))
    read.service_tier = service_tier_in(first.metadata, raw)
    read.inference_geo = as_name(dig(raw, "inference_geo"))
    read.usage = _usage(first, raw, tools)
    read.cost = FREE if _is_cached(first) else _cost(first, raw)
    read.output = _content(answers)
    return OUTCOMES.end(read)


FREE: Final = Cost(total=Decimal(0), source="gateway")
"""What an answer costs that comes from a cache."""


def is_free(outcome: Outcome) -> bool:
    """Whether a cache has answered: a gateway's price is never 0 otherwise."""
    return outcome.cost is FREE


def _answers_in(result: object) -> Iterable[object]:
    """Those to the first prompt."""
    return as_items(next(iter(as_items(part(result, "generations"))), None))


def _is_cached(answer: Answer) -> bool:
    """Whether LangChain answered from its cache: it then says so by a price of 0 in the usage, and by nothing else."""
    return "total_cost" in answer.said and as_amount(answer.said["total_cost"]) == 0


def _usage(answer: Answer, raw: object, given: object) -> Usage:
    tools, said = _hosted_tools(answer, raw, given), answer.said
    if dig(raw, "iterations") is not None:
        return read_usage(raw, hosted_tools=tools)
    return usual_usage(said, tools) or any_usage(said, raw, tools)


def any_usage(said: Mapping[str, object], raw: object, tools: Mapping[str, int]) -> Usage:
    """
    What a ``usage_metadata`` says, whatever is in it.

    Args:
        said: It.
        raw: The usage as the provider sent it, for where that says nothing.
        tools: Calls of hosted tools.
    """
    counts: dict[str, Any] = {name: as_count(said.get(name)) for name in TOTALS}
    if not (counts["input_tokens"] or counts["output_tokens"]):
        return _usage_as_sent(raw, tools)
    if not counts["input_tokens"]:  # what packages say where nothing was said: no prompt has no tokens
        counts["input_tokens"] = counts["total_tokens"] = None
    for name, (where, key) in PARTS.items():
        counts[name] = _part(said, where, key)
    writes = {name: _part(said, "input_token_details", key) for name, key in CACHE_WRITES.items()}
    known = [count for count in writes.values() if count is not None]
    counts.update(writes, cache_write_tokens=sum(known) if known else None)
    return Usage(**counts, hosted_tool_calls=tools)


def _usage_as_sent(raw: object, tools: Mapping[str, int]) -> Usage:
    """The same of what the provider sent; of Bedrock's models a package puts zeros together where nothing was said."""
    used = read_usage(raw, hosted_tools=tools)
    if used.input_tokens != 0:
        return used
    return changed(used, input_tokens=None, total_tokens=None, output_tokens=used.output_tokens or None)


def usual_usage(said: Mapping[str, object], tools: Mapping[str, int]) -> Usage | None:
    """
    The same of a ``usage_metadata`` in which every count is one and none is told by its tier: 4,000 instructions, where
    looking at all that may be in one takes 70,000. `None` where something is unusual.
    """
    given, made = _details(said, "input_token_details"), _details(said, "output_token_details")
    if given is None or made is None or not said.get("input_tokens"):
        return None
    counts = (
        said["input_tokens"], said.get("output_tokens"), said.get("total_tokens"),
        given.get("cache_read"), given.get("audio"), made.get("reasoning"), made.get("audio"),
        *(writes := [given.get(key) for key in CACHE_WRITES.values()]),
    )  # fmt: skip
    for each in counts:
        if each is not None and (type(each) is not int or not 0 <= each <= MAX_COUNT):
            return None
    used = USAGES.begin()
    used.input_tokens, used.output_tokens, used.total_tokens, used.cache_read_tokens = counts[:4]
    used.input_audio_tokens, used.reasoning_tokens, used.output_audio_tokens = counts[4:7]
    _, used.cache_write_5m_tokens, used.cache_write_1h_tokens = writes
    known = [cast("int", each) for each in writes if each is not None]
    used.cache_write_tokens = sum(known) if known else None
    used.hosted_tool_calls = tools
    return USAGES.end(used)


def _details(said: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    """The parts of a total; `None` where they are something unusual."""
    details = said.get(name, NOTHING)
    if type(details) is not dict or not BY_TIER.isdisjoint(details):  # pyright: ignore[reportUnknownArgumentType]
        return None
    return cast("Mapping[str, object]", details)


def _part(said: Mapping[str, object], where: str, key: str) -> int | None:
    details = as_fields(said.get(where))
    return next((count for tier in TIERS if (count := as_count(details.get(tier + key))) is not None), None)


def _raw_usage(answer: Answer, output: Mapping[str, object]) -> object:
    """As the provider sent it; an empty one stands at all prompts of a request but the first."""
    metadata = answer.metadata
    beside = None if LOOSE.isdisjoint(metadata) else metadata
    return metadata.get(TOLD) or metadata.get(SAID) or output.get(TOLD) or output.get(SAID) or beside


def _hosted_tools(answer: Answer, raw: object, given: object) -> Mapping[str, int]:
    """What the provider counts, else what the answer shows: of a stream of Anthropic's the count is not handed on."""
    counted = {} if raw is None else tools_in_usage(raw)
    if counted or dig(raw, "server_tool_use") is not None:
        return counted
    blocks = [*as_items(answer.written), *as_items(answer.more.get("tool_outputs"))]
    return tools_in_blocks(blocks, given) if blocks else counted


def _cost(answer: Answer, raw: object) -> Cost | None:
    """What the provider has charged, else what LiteLLM reckons, which says 0 of what it has no price for."""
    metadata = answer.metadata
    charged = read_cost(raw) or (_charged(metadata) if "cost" in metadata else None)
    reckoned = None if charged else as_amount(metadata.get("response_cost"))
    return charged or (Cost(total=reckoned, source="gateway") if reckoned else None)


def _charged(metadata: Mapping[str, object]) -> Cost | None:
    """
    OpenRouter's price, which LangChain's package hands on without saying whose key was used.

    With the user's own key the price is a fee, and the provider charges besides: then it is not the whole.
    """
    upstream = as_amount(dig(metadata, "cost_details", "upstream_inference_cost"))
    if upstream and upstream != as_amount(metadata.get("cost")):
        return None
    return read_cost({"cost": metadata.get("cost"), "cost_details": metadata.get("cost_details")})


def _own_id(answer: Answer) -> str | None:
    given = as_name(answer.metadata.get("id")) or as_name(part(answer.message, "id"))
    return None if given is None or given.startswith(OWN_IDS) else given


def _content(answers: list[Answer]) -> object:
    first = _completion(answers[0])
    return first if len(answers) == 1 else {**first, "choices": [_completion(each) for each in answers[1:]]}


def _completion(answer: Answer) -> dict[str, object]:
    message = answer.message
    if message is None:
        return {"completion": part(answer.generation, "text"), "reasoning": None}
    reasoning = answer.more.get("reasoning_content") or answer.more.get("reasoning")
    content = {"completion": answer.written, "reasoning": reasoning}
    calls = _tool_calls(message)
    return {**content, "toolCalls": calls} if calls else content


def _tool_calls(message: object) -> list[object]:
    return [
        {
            "id": part(each, "id"),
            "type": "function",
            "function": {"name": part(each, "name"), "arguments": part(each, "args")},
        }
        for each in as_items(part(message, "tool_calls"))
    ]


ROLES: Final[Mapping[str | None, str]] = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}
"""LangChain's word for who speaks → the usual one; what is not here is the same word."""

CALLING: Final = frozenset({"ai", "AIMessageChunk"})
"""Who can call tools. A member that LangChain's objects lack costs microseconds to ask for."""


def langchain_messages(messages: object) -> list[dict[str, object]]:
    """A conversation in the form in which chat models are asked."""
    return [_message(each) for each in as_items(messages)]


def _message(message: object) -> dict[str, object]:
    kind = as_name(part(message, "type"))
    role = part(message, "role") if kind == "chat" else ROLES.get(kind, kind)
    said: dict[str, object] = {"role": role, "content": part(message, "content")}
    if kind in CALLING:
        calls = _tool_calls(message)
        return {**said, "tool_calls": calls} if calls else said
    return {**said, "tool_call_id": part(message, "tool_call_id")} if kind == "tool" else said
