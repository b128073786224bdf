"""
Chat completions: https://platform.openai.com/docs/api-reference/chat/object and the chunks of
https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from .._record import Drafts, Failure, Outcome, changed
from ._failures import error_in, is_fine
from ._formats import Build, WireFormat
from ._hosted_tools import EXECUTED, executed_tools
from ._lean import lean_chat
from ._native_usage import usage_in
from ._openai_usage import read_usage
from ._reading import as_count, as_items, as_name, dig, getter_of, with_members
from ._reported_cost import read_cost
from ._service_tier import service_tier_in
from ._texts import Pieces, Text
from ._tool_calls import FunctionAccumulator, ToolCallsAccumulator
from ._usual_chunks import TOOL_CALLS, Delta, Place, taking, taking_off_usage, taking_rarer

OUTCOMES: Final = Drafts(Outcome)


def content(body: Mapping[str, object]) -> object:
    """The messages; tools and schemas are not content that Ramp shows."""
    return {"messages": body.get("messages")}


def read(answer: object) -> Outcome:
    """What a chat completion says."""
    answer = with_members(answer)
    usual = _read_usual(answer)
    return read_anything(answer) if usual is None else usual


def _read_usual(answer: Any) -> Outcome | None:
    """
    The same of an answer with one choice and a usage, none of which is an object of a library's: nearly all.

    A third of the time: it looks in one place for each thing. `None` where something may be in another one.
    """
    kind = type(answer)  # pyright: ignore[reportUnknownVariableType]
    if kind is not dict:
        return None
    choices: Any = answer.get("choices")
    usage: Any = answer.get("usage")
    tier, kinds = as_name(answer.get("service_tier")), (type(choices), type(usage))  # pyright: ignore[reportUnknownVariableType]
    if tier is None or kinds != (list, dict) or len(choices) != 1:
        return None
    choice: Any = choices[0]
    message: Any = dig(choice, "message")
    kinds = type(choice), type(message)  # pyright: ignore[reportUnknownVariableType]
    if kinds != (dict, dict) or choice.get("error") is not None or not is_fine(answer):
        return None
    read = OUTCOMES.begin()
    read.response_id, read.response_model = as_name(answer.get("id")), as_name(answer.get("model"))
    reason = as_name(choice.get("finish_reason"))
    read.finish_reasons = () if reason is None else (reason,)
    read.native_finish_reason = as_name(choice.get("native_finish_reason"))
    read.service_tier, read.inference_geo = tier, as_name(usage.get("inference_geo"))
    read.upstream_provider = as_name(answer.get("provider"))
    ran = executed_tools(choices) if EXECUTED in message else None
    read.usage, read.cost = read_usage(usage, hosted_tools=ran), read_cost(usage)
    read.output = _parts(message.get)
    return OUTCOMES.end(read)


def read_anything(answer: object) -> Outcome:
    """What a chat completion says, wherever it says it."""
    said = getter_of(answer)
    choices = [with_members(each) for each in as_items(said("choices"))]
    usage = with_members(usage_in(answer))
    read = OUTCOMES.begin()
    read.response_id = as_name(said("id"))
    read.response_model = as_name(said("model"))
    read.finish_reasons = tuple([reason for each in choices if (reason := as_name(dig(each, "finish_reason")))])
    read.native_finish_reason = as_name(dig(choices[0], "native_finish_reason")) if choices else None
    read.service_tier = service_tier_in(answer, usage)
    read.inference_geo = as_name(dig(usage, "inference_geo"))
    read.upstream_provider = as_name(said("provider"))
    read.usage = read_usage(usage, hosted_tools=executed_tools(choices))
    read.cost = read_cost(usage)
    read.failure = error_in(answer) or _error_in_choice(choices)
    read.output = completion([message_of(each) for each in choices])
    return OUTCOMES.end(read)


def _error_in_choice(choices: list[object]) -> Failure | None:
    """OpenRouter's place for an error after a part of the answer: https://openrouter.ai/docs/api-reference/errors"""
    for each in choices:
        if dig(each, "error") is not None:
            return error_in(each)
    return None


def message_of(choice: object) -> Mapping[str, object]:
    """The parts of a choice's message that are content, by reference."""
    return _parts(getter_of(dig(choice, "message")))


def _parts(said: Callable[[str], object]) -> Mapping[str, object]:
    written = said("content")
    parts = {
        "completion": said("refusal") if written is None else written,
        "reasoning": said("reasoning") or said("reasoning_content"),
    }
    calls, audio = said("tool_calls") or said("function_call"), said("audio")
    if calls:
        parts["toolCalls"] = calls
    if audio:
        parts["audio"] = audio
    return parts


def completion(messages: list[Mapping[str, object]]) -> object:
    """
    The answer in the form in which OpenRouter reports it: ``completion``, ``reasoning``, ``toolCalls``.

    Audio is there only where there is some; further choices (``n > 1``) follow in the same form under ``choices``.
    """
    if not messages:
        return None
    first, *others = messages
    return {**first, "choices": others} if others else first


TEXT: Final = {"role", "content"}
"""Members of a delta that is text and nothing else."""


def is_text(delta: Mapping[str, object]) -> bool:
    """Whether a delta has no more in it than text; some servers name what it might have had, and say null."""
    return all(name in TEXT for name, value in delta.items() if value is not None)


class ChatAccumulator:
    """
    Folds the chunks of a streamed chat completion into the shape of a whole one.

    Attributes:
        all_finished: Whether every choice has given its finish reason while the usage is still to come.
    """

    __slots__ = (
        "_choices", "_expected", "_failure", "_first", "_keeps_content", "_last", "_pieces", "_rarer", "_text_alone",
        "_usage", "all_finished",
    )  # fmt: skip

    def __init__(self, choices: int, keeps_content: bool) -> None:
        self._expected = choices
        self._keeps_content = keeps_content
        self._first: object = None
        self._last: object = None
        self._failure: Failure | None = None
        self._usage: object = None
        self._choices: dict[int, ChoiceAccumulator] = {}
        self._pieces: dict[int, Pieces] = {}  # of the texts of those choices that have begun and go on
        self._rarer: dict[Place, Pieces] = {}  # the same of all else that comes in pieces
        self._text_alone: Delta = {}  # the last delta of several members that was text and nothing else
        self.all_finished = False

    def taking(self, build: Build, otherwise: Callable[[object], None], *, takes_off_usage: bool) -> Build:
        """*build*, which takes in what it makes a chunk of; *otherwise* calls `add` where that is not the usual one."""
        take = taking_off_usage if takes_off_usage else taking
        rarer = taking_rarer(otherwise, self._rarer, takes_off_usage=takes_off_usage)
        return take(build, rarer, self._pieces, self._text_alone)

    def join(self) -> None:
        """Make one of the last pieces of each text."""
        for each in self._choices.values():
            each.join()

    def add(self, event: object) -> bool:
        """Take in one chunk; True if it carries a part of the answer."""
        carries, finishes = self._add(event)
        if finishes or self.all_finished:
            self.all_finished = self._usage is None and len(self._choices) >= self._expected and self._complete
        return carries

    def _add(self, event: object) -> tuple[bool, bool]:
        """Whether it carries a part of the answer, and whether it may be among the last."""
        told = getter_of(event)
        if self._first is None and (told("id") or told("model")):  # Azure's first chunk has neither
            self._first = event
        choices = told("choices")
        carries = False
        finishes = not choices
        for choice in as_items(choices):
            said = getter_of(choice)
            index: Any = said("index")
            if type(index) is not int or index < 0:
                index = as_count(index) or int(index is True)  # which is 1 to a dictionary
            accumulator = self._choices.get(index)
            if accumulator is None:
                accumulator = self._choices[index] = ChoiceAccumulator(self._keeps_content)
            carries = accumulator.add(said) or carries
            self._expect_more_of(index, accumulator, said("delta"))
            finishes = finishes or accumulator.finish_reason is not None
        usage = usage_in(event) if finishes else told("usage")
        if usage is not None:  # Databricks and Perplexity send a running count: the last one is the usage
            self._usage = usage
        if finishes:
            self._last = event
            self._failure = self._failure or error_in(event)
        return carries, finishes

    def _expect_more_of(self, index: int, accumulator: "ChoiceAccumulator", delta: Any) -> None:
        """Note what of it goes on, and what all the members of such a delta are."""
        if accumulator.finish_reason is not None:
            self._pieces.pop(index, None)
            for place in [each for each in self._rarer if each[0] == index]:
                del self._rarer[place]
        elif self._first is not None:
            is_dict = type(delta) is dict
            if is_dict and any(map(delta.get, RARER)):
                self._rarer.update({(index, name): pieces for name, pieces in accumulator.rarer_pieces(delta)})
            if accumulator.text is not None:
                self._pieces[index] = accumulator.text.pieces
                if is_dict and len(cast("Delta", delta)) > 1 and is_text(cast("Delta", delta)):
                    self._text_alone.clear()
                    self._text_alone.update(delta)

    @property
    def _complete(self) -> bool:
        return bool(self._choices) and all(each.finish_reason is not None for each in self._choices.values())

    def outcome(self) -> Outcome:
        """What is known so far."""
        first, last = self._first, self._last
        whole = read(
            {
                "id": dig(first, "id"),
                "model": dig(first, "model"),
                "choices": [self._choices[index].choice() for index in sorted(self._choices)],
                "service_tier": dig(last, "service_tier") or dig(first, "service_tier"),
                "provider": dig(first, "provider"),
                "usage": self._usage,
            }
        )
        failure, complete = self._failure or whole.failure, self._complete
        if complete and failure is whole.failure:  # as `read` takes it to be
            return whole
        return changed(whole, failure=failure, complete=complete)


class ChoiceAccumulator:
    """
    One choice of a stream.

    Attributes:
        finish_reason: Why it has ended; `None` while it goes on.
        text: Its content; `None` until there is some.
    """

    __slots__ = (
        "_audio_size", "_calls", "_error", "_executed", "_function", "_keeps_content", "_native", "_texts",
        "finish_reason", "text",
    )  # fmt: skip

    def __init__(self, keeps_content: bool) -> None:
        self._keeps_content = keeps_content
        self._texts: dict[str, Text] = {}
        self._calls = ToolCallsAccumulator()
        self._executed: dict[object, object] = {}  # by index: Groq names each tool again once it has run
        self._function: FunctionAccumulator | None = None
        self.text: Text | None = None
        self._audio_size = 0
        self._native: object = None
        self._error: object = None
        self.finish_reason: object = None

    def add(self, said: Callable[[str], object]) -> bool:
        """Take in what one choice of a chunk says; True if it carries a part of the answer."""
        finish_reason = said("finish_reason")
        if finish_reason is not None:
            self.finish_reason = finish_reason
            self._native = said("native_finish_reason")
            self._error = said("error")
        delta = getter_of(said("delta"))
        text = delta("content")
        if text is not None and not isinstance(text, str):
            carries = self._add_parts(as_items(text))
            return self._add_rarer(delta) or carries
        if self.write("content", text) and self.text is None:
            self.text = self._texts["content"] if self._keeps_content else Text(kept=False)
        return self._add_rarer(delta) or bool(text)

    def rarer_pieces(self, delta: Mapping[str, object]) -> Iterator[tuple[str | int, Pieces]]:
        """Of all but the content that *delta* has a piece of: which it is, and where the next pieces go."""
        for name in RARER_TEXTS:
            text = delta.get(name)
            if isinstance(text, str) and text:
                yield name, self._texts[name].pieces if self._keeps_content else NOWHERE
        for call in as_items(delta.get(TOOL_CALLS)):
            index = dig(call, "index")
            if type(index) is int:
                pieces = self._calls.arguments(index) if self._keeps_content else NOWHERE
                if pieces is not None:
                    yield index, pieces

    def join(self) -> None:
        """Make one of the last pieces of each of its texts."""
        if not self._keeps_content:
            return
        for text in self._texts.values():
            text.join()
        self._calls.join()

    def choice(self) -> Mapping[str, object]:
        """The choice in the shape of a whole answer."""
        message: dict[str, object] = {name: text.read() for name, text in self._texts.items()}
        message["tool_calls"] = self._calls.calls()
        if self._executed:
            message[EXECUTED] = list(self._executed.values())
        message["function_call"] = None if self._function is None else self._function.call()
        if self._audio_size or TRANSCRIPT in message:
            message["audio"] = {"size_bytes": self._audio_size, "transcript": message.pop(TRANSCRIPT, None)}
        return {
            "finish_reason": self.finish_reason,
            "native_finish_reason": self._native,
            "error": self._error,
            "message": message,
        }

    def _add_parts(self, parts: Iterable[object]) -> bool:
        """Mistral's models that think send parts: https://docs.mistral.ai/capabilities/reasoning/."""
        carries = False
        for part in parts:
            carries = self.write("content", dig(part, "text")) or carries
            for thought in as_items(dig(part, "thinking")):
                carries = self.write("reasoning", dig(thought, "text")) or carries
        return carries

    def _add_rarer(self, delta: Callable[[str], object]) -> bool:
        carries = False
        executed = delta(EXECUTED)
        for tool in () if executed is None else as_items(executed):
            self._executed[as_count(dig(tool, "index"))] = {"type": dig(tool, "type")}
        for name in RARER_TEXTS:
            text = delta(name)
            if text is not None:
                carries = self.write(name, text) or carries
        for call in as_items(delta(TOOL_CALLS)):
            carries = True
            if self._keeps_content:
                self._calls.add(call)
        function = delta("function_call")
        if function is not None:
            carries = True
            self._add_function(function)
        audio = delta("audio")
        return carries if audio is None else self._add_audio(audio) or carries

    def _add_function(self, function: object) -> None:
        if self._keeps_content:
            self._function = self._function or FunctionAccumulator()
            self._function.add(function)

    def _add_audio(self, audio: object) -> bool:
        data = dig(audio, "data")
        if isinstance(data, str):
            self._audio_size += len(data) * 3 // 4  # base64
        return self.write(TRANSCRIPT, dig(audio, "transcript")) or isinstance(data, str)

    def write(self, name: str, text: object) -> bool:
        """Take in a piece of one of the texts; False if it is none."""
        if not isinstance(text, str) or not text:
            return False
        if self._keeps_content:
            gathered = self._texts.get(name)
            if gathered is None:
                gathered = self._texts[name] = Text()
            gathered.write(text)
        return True


RARER_TEXTS: Final = ("reasoning", "reasoning_content", "refusal")

RARER: Final = frozenset({*RARER_TEXTS, TOOL_CALLS})
"""What goes on for many chunks, and is not the content."""

NOWHERE: Final[Pieces] = deque(maxlen=0)
"""Where pieces go that are not kept."""

TRANSCRIPT: Final = "transcript"
"""Where the words of spoken audio are gathered until the whole message is made."""


CHAT: Final = WireFormat(content=content, read=read, accumulator=ChatAccumulator, name="chat", lean=lean_chat)
