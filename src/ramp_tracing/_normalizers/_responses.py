"""
The Responses API: https://platform.openai.com/docs/api-reference/responses/object and its events,
https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from .._guard import guarded
from .._record import Drafts, Failure, Outcome
from ._failures import error_in
from ._formats import UNUSUAL, Build, WireFormat
from ._hosted_tools import count_hosted_tools
from ._lean_responses import lean_response
from ._openai_usage import read_usage
from ._reading import as_instant, as_items, as_name, dig, with_members
from ._reported_cost import read_cost
from ._service_tier import service_tier_in
from ._texts import Pieces, Text

UNFINISHED: Final = frozenset({"queued", "in_progress"})
"""States of a background response whose usage is still to come: https://platform.openai.com/docs/guides/background"""

TERMINAL_EVENTS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
"""The events that carry the whole response, usage included."""

TEXTS: Final = ("text", "refusal", "transcript")
TEXT_EVENTS: Final = frozenset({"response.output_text.delta", "response.refusal.delta"})
REASONING_EVENTS: Final = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})


OUTCOMES: Final = Drafts(Outcome)


def content(body: Mapping[str, object]) -> object:
    """Instructions and input as messages, the form in which every prompt is sent."""
    instructions, given = body.get("instructions"), body.get("input")
    messages: list[object] = [] if instructions is None else [{"role": "system", "content": instructions}]
    if isinstance(given, str):
        messages.append({"role": "user", "content": given})
    messages.extend(as_items(given))
    return {"messages": messages}


def read(answer: object) -> Outcome:
    """What a response says. A background response that has not ended yet is pending."""
    answer = with_members(answer)
    output = [with_members(each) for each in as_items(dig(answer, "output"))]
    status = as_name(dig(answer, "status"))
    usage = with_members(dig(answer, "usage"))
    read = OUTCOMES.begin()
    read.response_id = as_name(dig(answer, "id"))
    read.response_model = as_name(dig(answer, "model"))
    read.finish_reasons = _finish_reasons(answer, status)
    read.service_tier = service_tier_in(answer, usage)
    read.inference_geo = as_name(dig(usage, "inference_geo"))
    read.upstream_provider = as_name(dig(answer, "provider"))
    read.usage = read_usage(usage, hosted_tools=count_hosted_tools(answer))
    read.cost = read_cost(usage)
    read.pending = status in UNFINISHED
    read.job = dig(answer, "background") is True
    if read.job:
        read.created, read.ended = as_instant(dig(answer, "created_at")), as_instant(dig(answer, "completed_at"))
    read.failure = _failure(answer, status)
    read.output = completion_of(output)
    return OUTCOMES.end(read)


def _finish_reasons(answer: object, status: str | None) -> tuple[str, ...]:
    """The status, with the reason where it has one: ``incomplete:max_output_tokens``."""
    if status is None or status in UNFINISHED:
        return ()
    reason = as_name(dig(answer, "incomplete_details", "reason"))
    return (f"{status}:{reason}" if reason else status,)


def _failure(answer: object, status: str | None) -> Failure | None:
    failure = error_in(answer)
    return Failure(type="error") if failure is None and status == "failed" else failure


def completion_of(output: object) -> object:
    """The output items in the form in which OpenRouter reports an answer."""
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[object] = []
    for item in as_items(output):
        kind = as_name(dig(item, "type"))
        if kind == "message":
            texts.extend(_texts(dig(item, "content")))
        elif kind == "reasoning":
            thoughts.extend(_texts(dig(item, "summary")) or _texts(dig(item, "content")))  # open models tell it all
        elif kind in CALLS:
            calls.append(CALLS[kind](item, len(calls)))
    answer = {"completion": "".join(texts), "reasoning": "".join(thoughts) or None}
    return {**answer, "toolCalls": calls} if calls else answer


def _texts(parts: object) -> list[str]:
    """What was written, or refused, or said: of sound (Realtime) only the transcript is read."""
    found = (next(filter(None, (as_name(dig(part, name)) for name in TEXTS)), None) for part in as_items(parts))
    return [text for text in found if text]


def _call(item: object, index: int) -> Mapping[str, object]:
    function = {"name": dig(item, "name"), "arguments": dig(item, "arguments")}
    return {"id": dig(item, "call_id"), "index": index, "type": "function", "function": function}


def _custom_call(item: object, index: int) -> Mapping[str, object]:
    """In the form that chat completions have for it."""
    custom = {"name": dig(item, "name"), "input": dig(item, "input")}
    return {"id": dig(item, "call_id"), "index": index, "type": "custom", "custom": custom}


def _action(item: object, index: int) -> Mapping[str, object]:
    """What a computer, a shell or an editor of the application's is to do; chat completions have no form for it."""
    action = dig(item, "action") or dig(item, "actions") or dig(item, "operation")
    return {"id": dig(item, "call_id"), "index": index, "type": dig(item, "type"), "action": action}


CALLS: Final[Mapping[str | None, Callable[[object, int], Mapping[str, object]]]] = {
    "function_call": _call,
    "custom_tool_call": _custom_call,
    **dict.fromkeys(("computer_call", "local_shell_call", "shell_call", "apply_patch_call"), _action),
}
"""Items of an answer that ask for something: https://platform.openai.com/docs/guides/tools"""


class ResponsesAccumulator:
    """Folds the events of a streamed response. The last event repeats the whole; until then the texts count."""

    __slots__ = ("_begun", "_error", "_pieces", "_reasoning", "_text", "_whole")

    def __init__(self, choices: int, keeps_content: bool) -> None:
        self._whole: Outcome | None = None
        self._begun = Outcome()
        self._error: Failure | None = None
        self._pieces: dict[str, Pieces] = {}  # by the kind of event, of those texts that have begun
        self._text, self._reasoning = Text(kept=keeps_content), Text(kept=keeps_content)

    @property
    def all_finished(self) -> bool:
        """Never: here the last event brings the usage by itself."""
        return False

    def taking(self, build: Build, otherwise: Callable[[object], None], *, takes_off_usage: bool) -> Build:
        """
        *build*, which takes in an event of the kind that nearly all are of: text, when some has come before.

        For each of thousands, so nothing of ours is called in it. Others are *otherwise*'s, which calls `add`.
        """
        pieces = self._pieces

        def process(*, data: Any, cast_to: object, response: object) -> object:
            try:
                pieces[data["type"]].append(data["delta"])
            except UNUSUAL:
                otherwise(data)
            except BaseException:
                with guarded("reading an event"):
                    raise
            return build(data=data, cast_to=cast_to, response=response)

        return process

    def join(self) -> None:
        """Make one of the last pieces of each text."""
        self._text.join()
        self._reasoning.join()

    def add(self, event: object) -> bool:
        """Take in one event; True if it carries a part of the answer."""
        kind = as_name(dig(event, "type")) or ""
        if kind.endswith(".delta"):
            self._add_text(kind, dig(event, "delta"))
            return True
        if kind in TERMINAL_EVENTS:  # read now and let go: the whole response may be large
            self._whole = read(dig(event, "response"))
        elif kind == "response.created":
            self._begun = read(dig(event, "response"))
        else:
            self._error = self._error or error_in(event)
        return False

    def outcome(self) -> Outcome:
        """What is known so far. A background response goes on without its stream, any other ends with it."""
        if self._whole is not None:
            return self._whole
        return replace(
            self._begun,
            pending=self._begun.job,
            failure=self._error,
            output={"completion": self._text.read(), "reasoning": self._reasoning.read() or None},
            complete=False,
        )

    def _add_text(self, kind: str, text: object) -> None:
        gathered = self._text if kind in TEXT_EVENTS else self._reasoning if kind in REASONING_EVENTS else None
        if gathered is not None and isinstance(text, str):
            self._pieces[kind] = gathered.pieces
            gathered.write(text)


RESPONSES: Final = WireFormat(
    content=content, read=read, accumulator=ResponsesAccumulator, name="responses", lean=lean_response
)
