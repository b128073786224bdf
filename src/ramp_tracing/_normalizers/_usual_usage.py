"""
Usage with nothing in it but what OpenAI documents, read at once.

Looking at each of the places where anybody has ever put a count costs 150,000 instructions on the application's thread.
This costs 5,000, and whatever is unusual about an answer it leaves to those who look everywhere.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple, cast

from .._record import Drafts, Usage
from ._reading import MAX_COUNT, dig, with_members

DRAFTS: Final = Drafts(Usage)


class Form(NamedTuple):
    """The names that an API has for the totals, and for what holds their parts."""

    input: str
    output: str
    input_details: str
    output_details: str


CHAT: Final = Form("prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details")
RESPONSES: Final = Form("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details")

INPUT_PARTS: Final = frozenset({"cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"})
WRITTEN: Final = "cache_write_tokens_details"
"""What OpenAI says of how long its cache keeps what was written; half an hour is the usual."""

OUTPUT_PARTS: Final = frozenset(
    {"reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"}
)

NOTHING: Final[Mapping[str, object]] = {}


class UsualUsage:
    """
    Reads usual usage.

    Args:
        names: Every member of a usage that means something somewhere.
        input_parts: The same of the details of the input.
        output_parts: The same of the details of the output.
    """

    def __init__(self, names: frozenset[str], input_parts: frozenset[str], output_parts: frozenset[str]) -> None:
        self._unusual = {form.input: names - {*form, "total_tokens"} for form in (CHAT, RESPONSES)}
        self._unusual_input = input_parts - INPUT_PARTS - {WRITTEN}
        self._unusual_output = output_parts - OUTPUT_PARTS

    def read(self, usage: object, hosted_tools: Mapping[str, int], images: int | None) -> Usage | None:
        """The usage; `None` where something about it is unusual."""
        if type(usage) is not dict:
            return None
        members = cast("dict[str, object]", usage)
        form = CHAT if CHAT.input in members else RESPONSES
        given, made = _details(members, form.input_details), _details(members, form.output_details)
        if given is None or made is None:
            return None
        odd, odd_input, odd_output = self._unusual[form.input], self._unusual_input, self._unusual_output
        if given.get(WRITTEN) is not None and dig(given, WRITTEN, "ttl_12h_tokens") != 0:
            return None
        if not (
            (odd.isdisjoint(members) or _says_none(members, odd))
            and (odd_input.isdisjoint(given) or _says_none(given, odd_input))
            and (odd_output.isdisjoint(made) or _says_none(made, odd_output))
        ):
            return None
        draft = DRAFTS.begin()
        draft.input_tokens, draft.output_tokens = members.get(form.input), members.get(form.output)
        draft.total_tokens = members.get("total_tokens")
        draft.cache_read_tokens, draft.input_audio_tokens = given.get("cached_tokens"), given.get("audio_tokens")
        draft.cache_write_tokens, draft.input_image_tokens = given.get("cache_write_tokens"), given.get("image_tokens")
        draft.reasoning_tokens, draft.output_audio_tokens = made.get("reasoning_tokens"), made.get("audio_tokens")
        draft.accepted_prediction_tokens = made.get("accepted_prediction_tokens")
        draft.rejected_prediction_tokens = made.get("rejected_prediction_tokens")
        draft.hosted_tool_calls, draft.images = hosted_tools, images
        if not _holds_counts(draft) or (draft.reasoning_tokens and _adds_up_oddly(draft)):
            return None
        return DRAFTS.end(draft)


def _says_none(members: Mapping[str, object], names: frozenset[str]) -> bool:
    """Whether nothing is said under any of *names*; LiteLLM's and others' models have null where nothing is known."""
    return all(members[name] is None for name in names.intersection(members))


def _details(members: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    """The parts of a total; `None` where they are something unusual."""
    given: Any = members.get(name)
    kind = type(given)  # pyright: ignore[reportUnknownVariableType]
    if kind is dict:
        parts: Mapping[str, object] = given
        return parts
    held = NOTHING if given is None else with_members(given)
    return cast("Mapping[str, object]", held) if type(held) is dict else None


_read_of: Final = attrgetter(
    "input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens", "input_audio_tokens",
    "input_image_tokens", "reasoning_tokens", "output_audio_tokens", "accepted_prediction_tokens",
    "rejected_prediction_tokens",
)  # fmt: skip


def _holds_counts(usage: Usage) -> bool:
    """Whether everything that was read is 0 or more, or nothing."""
    for each in _read_of(usage):
        if each is not None and (type(each) is not int or not 0 <= each <= MAX_COUNT):
            return False
    return True


def _adds_up_oddly(usage: Usage) -> bool:
    """Whether the reasoning, of which there is some, may come on top of the output, which takes a closer look."""
    reasoning, output, given = usage.reasoning_tokens or 0, usage.output_tokens, usage.input_tokens
    return output is None or given is None or reasoning > output or given + output != usage.total_tokens
