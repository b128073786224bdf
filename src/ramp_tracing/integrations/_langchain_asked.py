"""What a model of LangChain's was asked, on which terms, and for whom."""

from collections.abc import Mapping
from typing import Any, Final

from .._capture import snapshot
from .._context import InForce, in_force_then
from .._dataclass import dataclass
from .._layers import Run
from .._normalizers import as_fields, as_items
from .._normalizers._langchain import CALLING, langchain_messages
from .._record import NOBODY, Attribution
from .._state import Sink, state
from ._asking import attribution_in

CACHE_HIT: Final = "langchain.cache_hit"

SPEED, GEO = "speed", "inference_geo"
"""Of Anthropic's requests: how fast, and where in the world."""

SCALAR_BYTES: Final = 8
"""As `snapshot` reckons."""

MESSAGE_BYTES: Final = 3 * SCALAR_BYTES
"""A place in the list, and two members."""


@dataclass(slots=True, kw_only=True)
class ModelCall:
    """
    What is kept of a model's run until its end.

    Attributes:
        sink: Where it is recorded.
        operation: ``chat`` or ``text_completion``.
        asked: The messages or the prompt, as LangChain has them; `None` in privacy mode.
        serialized: The model, as LangChain describes it.
        params: The request's parameters.
    """

    sink: Sink
    operation: str
    asked: object
    serialized: Mapping[str, object]
    params: Mapping[str, object]

    @property
    def terms(self) -> list[Mapping[str, object]]:
        """Where terms are asked for that raise the price; nearly always nowhere."""
        params, kwargs = self.params, as_fields(self.serialized.get("kwargs"))
        asked = (params, as_fields(params.get("model_kwargs")), kwargs)
        return [place for place in asked if SPEED in place or GEO in place]

    def content(self) -> tuple[object, int]:
        """What was asked, by copies, and roughly its size; what LangChain's messages hold is the application's."""
        return snapshot({"prompt": self.asked}) if self.operation == "text_completion" else conversation(self.asked)


def conversation(asked: object) -> tuple[object, int]:
    """A `snapshot` of LangChain's messages in the usual form. A plain one is nothing but a role and a text."""
    messages: list[dict[str, object]] = []
    size_bytes, is_plain = SCALAR_BYTES, True
    for message in as_items(asked):
        role, content = _plain(message)
        if role is not None:
            messages.append({"role": role, "content": content})
            size_bytes += MESSAGE_BYTES + len(role) + len(content)
        else:
            messages += langchain_messages([message])
            is_plain = False
    return ({"messages": messages}, size_bytes) if is_plain else kept_messages(messages)


PLAIN: Final[Mapping[object, str]] = {
    "human": "user",
    "system": "system",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
}
"""LangChain's word for who speaks → the usual one, of messages that may be a text alone."""


def _plain(message: Any) -> tuple[str | None, Any]:
    """Role and text of a message that has nothing else; no role of any other."""
    try:
        kind, content = message.type, message.content
        if type(content) is str and not (kind in CALLING and message.tool_calls):
            return PLAIN.get(kind), content
    except (AttributeError, TypeError):  # not one of LangChain's objects
        pass
    return None, None


def kept_messages(messages: list[dict[str, object]]) -> tuple[object, int]:
    """
    A `snapshot` of a conversation whose dictionaries nobody else has: where they hold nothing but texts, it is itself
    one, which saves copying it.
    """
    size = SCALAR_BYTES * (1 + len(messages))
    for message in messages:
        size += SCALAR_BYTES * len(message)
        for said in message.values():
            if type(said) is str:
                size += len(said)
            elif said is None:
                size += SCALAR_BYTES
            else:
                return snapshot({"messages": messages})
    return {"messages": messages}, size


def in_force_for(run: Run, call: ModelCall, *, is_free: bool) -> InForce:
    """
    Who and what a model's run is for.

    Args:
        run: The run.
        call: What is kept of it.
        is_free: A cache has answered; that is said of it.
    """
    said = _said(call.params)
    if is_free:
        said = said.over(Attribution(metadata={CACHE_HIT: True}))
    return in_force_then(said, state.defaults, run.around(itself=True), run.span_parent)


def _said(params: Mapping[str, object]) -> Attribution:
    """What the request itself says, the way OpenRouter takes it."""
    extra, user = params.get("extra_body"), params.get("user")
    if not extra and user is None:
        return NOBODY
    fields = as_fields(extra)
    return attribution_in(fields, fields.get("user") if user is None else user)
