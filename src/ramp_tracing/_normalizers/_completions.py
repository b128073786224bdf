"""Legacy text completions: https://platform.openai.com/docs/api-reference/completions/object"""

from collections.abc import Mapping
from typing import Final

from .._record import Outcome
from ._chat import ChatAccumulator
from ._chat import read as read_chat
from ._formats import WireFormat
from ._lean import lean_chat
from ._reading import as_items, dig


def content(body: Mapping[str, object]) -> object:
    """The prompt."""
    return {"prompt": body.get("prompt")}


def read(answer: object) -> Outcome:
    """What a text completion says: a chat completion whose choices have a text where that has a message."""
    choices = [_as_message(choice) for choice in as_items(dig(answer, "choices"))]
    return read_chat({"choices": choices or None, **{name: dig(answer, name) for name in FIELDS}})


def _as_message(choice: object) -> Mapping[str, object]:
    return {**_ending(choice), "message": {"content": dig(choice, "text"), "reasoning": dig(choice, "reasoning")}}


def _as_delta(choice: object) -> Mapping[str, object]:
    delta = {"content": dig(choice, "text"), "reasoning": dig(choice, "reasoning")}
    return {**_ending(choice), "index": dig(choice, "index"), "delta": delta}


def _ending(choice: object) -> Mapping[str, object]:
    return {name: dig(choice, name) for name in ("finish_reason", "native_finish_reason", "error")}


FIELDS: Final = ("id", "model", "usage", "service_tier", "provider", "error", "object", "message", "detail", "code")
"""What a text completion and a chat completion, or the error in place of one, have in common."""


class CompletionAccumulator:
    """Folds the chunks of a streamed text completion."""

    __slots__ = ("_chat",)

    def __init__(self, choices: int, keeps_content: bool) -> None:
        self._chat = ChatAccumulator(choices, keeps_content)

    @property
    def all_finished(self) -> bool:
        """Whether every choice has given its finish reason while the usage is still to come."""
        return self._chat.all_finished

    def add(self, event: object) -> bool:
        """Take in one chunk; True if it carries a part of the answer."""
        choices = [_as_delta(choice) for choice in as_items(dig(event, "choices"))]
        return self._chat.add({"choices": choices, **{name: dig(event, name) for name in FIELDS}})

    def outcome(self) -> Outcome:
        """What is known so far."""
        return self._chat.outcome()


COMPLETIONS: Final = WireFormat(
    content=content, read=read, accumulator=CompletionAccumulator, name="completions", lean=lean_chat
)
