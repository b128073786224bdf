"""
Anthropic's Messages API, https://platform.claude.com/docs/en/api/messages/create, with the events of its streams,
https://platform.claude.com/docs/en/build-with-claude/streaming, and its batches,
https://platform.claude.com/docs/en/build-with-claude/batch-processing.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from typing import Final, cast

from .._record import Failure, Outcome
from ._failures import error_in
from ._formats import WireFormat
from ._openai_usage import read_usage
from ._plain import PlainAccumulator
from ._reading import as_count, as_items, as_name, dig
from ._service_tier import service_tier_in

USAGE_FIELDS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens_details",
    "server_tool_use",
    "iterations",
    "service_tier",
    "speed",
    "inference_geo",
)
"""What is kept of the usage of a stream. Several events tell it, each cumulatively, so the last one counts."""


def content(body: Mapping[str, object]) -> object:
    """The system prompt and the messages; tools and schemas are not content that Ramp shows."""
    system, asked = body.get("system"), body.get("messages")
    turns: list[object] = [{"role": "system", "content": system}] if isinstance(system, (str, list)) else []
    # The client takes any iterable, and one that can be read only once is the client's to read.
    turns.extend(cast("tuple[object, ...]", asked) if type(asked) is tuple else as_items(asked))
    return {"messages": turns}


def user(body: Mapping[str, object]) -> object:
    """Who a request is for: OpenRouter's place for it, which speaks to us, goes before the provider's own."""
    given = body.get("user")
    return dig(body, "metadata", "user_id") if given is None else given


def read(answer: object) -> Outcome:
    """What a message says."""
    usage, reason = dig(answer, "usage"), as_name(dig(answer, "stop_reason"))
    return Outcome(
        response_id=as_name(dig(answer, "id")),
        response_model=as_name(dig(answer, "model")),
        finish_reasons=() if reason is None else (reason,),
        service_tier=service_tier_in(answer, usage),
        inference_geo=as_name(dig(usage, "inference_geo")),
        usage=read_usage(usage),
        failure=error_in(answer),
        output=_completion(dig(answer, "content")),
    )


def _completion(blocks: object) -> object:
    """The blocks of an answer in the form in which OpenRouter reports one; what has no place in it is left as it is."""
    parts: dict[str, list[object]] = {"text": [], "thinking": [], "tool_use": [], "other": []}
    for block in as_items(blocks):
        kind = as_name(dig(block, "type")) or ""
        if kind in ("text", "thinking"):
            parts[kind].append(as_name(dig(block, kind)) or "")
        elif kind == "tool_use":
            parts[kind].append(_call(block, len(parts[kind])))
        elif kind != "redacted_thinking":
            parts["other"].append(block)
    texts, thoughts = ("".join(map(str, parts[kind])) for kind in ("text", "thinking"))
    more = {"toolCalls": parts["tool_use"], "content": parts["other"]}
    return {"completion": texts, "reasoning": thoughts or None, **{name: each for name, each in more.items() if each}}


def _call(block: object, index: int) -> Mapping[str, object]:
    function = {"name": dig(block, "name"), "arguments": _arguments(dig(block, "input"))}
    return {"id": dig(block, "id"), "index": index, "type": "function", "function": function}


def _arguments(given: object) -> str:
    """As JSON text, the form that chat completions have them in; a stream brings them so."""
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)


class MessageAccumulator:
    """Folds the events of a streamed message into the shape of a whole one."""

    __slots__ = ("_blocks", "_failure", "_keeps_content", "_message", "_stopped", "_usage")

    def __init__(self, _choices: int, keeps_content: bool) -> None:
        self._keeps_content = keeps_content
        self._message: dict[str, object] = {}
        self._usage: dict[str, object] = {}
        self._blocks: dict[int, BlockAccumulator] = {}
        self._failure: Failure | None = None
        self._stopped = False

    @property
    def all_finished(self) -> bool:
        """Never: here the usage comes by itself."""
        return False

    def add(self, event: object) -> bool:
        """Take in one event; True if it carries a part of the answer."""
        kind = dig(event, "type")
        if kind == "content_block_delta":  # by far the most frequent
            return self._block(event).add(dig(event, "delta"))
        if kind == "content_block_start":
            return self._block(event).begin(dig(event, "content_block"))
        if kind == "message_start":
            self._begin(dig(event, "message"))
        elif kind == "message_delta":
            self._note_usage(dig(event, "usage"))
            self._message["stop_reason"] = dig(event, "delta", "stop_reason") or self._message.get("stop_reason")
        elif kind == "message_stop":
            self._stopped = True
        else:
            self._failure = self._failure or error_in(event)
        return False

    def outcome(self) -> Outcome:
        """What is known so far."""
        blocks = [self._blocks[index].block() for index in sorted(self._blocks)] if self._keeps_content else None
        whole = read({**self._message, "usage": self._usage or None, "content": blocks})
        complete = self._stopped or bool(whole.finish_reasons)
        return replace(whole, failure=self._failure or whole.failure, complete=complete)

    def _begin(self, message: object) -> None:
        self._message = {name: dig(message, name) for name in ("id", "type", "model")}
        self._note_usage(dig(message, "usage"))
        # What has been said by now is no count of the answer; a stream that breaks off leaves that unknown.
        self._usage.pop("output_tokens", None)

    def _note_usage(self, usage: object) -> None:
        for name in USAGE_FIELDS:
            value = dig(usage, name)
            falls_to_nothing = as_count(value) == 0 and bool(self._usage.get(name))  # no cumulative count does
            if value is not None and not falls_to_nothing:
                self._usage[name] = value

    def _block(self, event: object) -> "BlockAccumulator":
        index = as_count(dig(event, "index")) or 0
        block = self._blocks.get(index)
        if block is None:
            block = self._blocks[index] = BlockAccumulator(self._keeps_content)
        return block


DELTAS: Final[Mapping[str, str]] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "compaction_delta": "content",
}
"""Kind of a piece → the member that has its text. Others are signatures and citations."""


class BlockAccumulator:
    """One block of a streamed message."""

    __slots__ = ("_keeps_content", "_member", "_start", "_text")

    def __init__(self, keeps_content: bool) -> None:
        self._keeps_content = keeps_content
        self._start: object = None
        self._member: str | None = None
        self._text: StringIO | None = None

    def begin(self, block: object) -> bool:
        """Take in the block as it begins; True if that alone is a part of the answer: a tool's name, or its result."""
        self._start = block if self._keeps_content else None
        return dig(block, "type") not in ("text", "thinking")

    def add(self, delta: object) -> bool:
        """Take in one piece; True if it carries a part of the answer."""
        member = DELTAS.get(as_name(dig(delta, "type")) or "")
        text = as_name(dig(delta, member)) if member is not None else None
        if text is None:
            return False
        if self._keeps_content:
            self._text = self._text or StringIO()
            self._text.write(text)
            self._member = member
        return True

    def block(self) -> object:
        """The block in the shape of a whole answer."""
        if self._text is None or self._member is None:
            return self._start
        named = {name: dig(self._start, name) for name in ("type", "id", "name")}
        return {**named, "input" if self._member == "partial_json" else self._member: self._text.getvalue()}


def read_batch(answer: object) -> Outcome:
    """What a batch says of itself. What it used is said in the file of its results alone."""
    status = as_name(dig(answer, "processing_status"))
    return Outcome(
        response_id=as_name(dig(answer, "id")),
        service_tier="batch",
        finish_reasons=(ENDED,) if status == ENDED else (),
        pending=status != ENDED,
        job=True,
        failure=error_in(answer),
    )


def _no_content(_body: Mapping[str, object]) -> object:
    """A batch may hold a hundred thousand prompts."""
    return None


ENDED: Final = "ended"
"""The state in which a batch stays."""

MESSAGES: Final = WireFormat(content=content, read=read, accumulator=MessageAccumulator, user=user)
MESSAGE_BATCHES: Final = WireFormat(
    content=_no_content, read=read_batch, accumulator=PlainAccumulator.folding(read_batch)
)
