"""What a model of LangChain's was asked, on which terms, and for whom."""

from collections.abc import Mapping
from typing import Any, Final

from .._capture import snapshot
from .._context import in_force_then
from .._guard import guarded
from .._layers import Run
from .._normalizers import as_fields, as_items
from .._normalizers._langchain import langchain_messages
from .._record import NOBODY, Attribution, SpanParent
from .._state import Sink, state
from ._asking import attribution_in
from ._langchain_places import GEO, SPEED

Fields = Mapping[str, object]

InForceThen = tuple[Attribution, SpanParent | None, bool]
"""As `InForce`; or without names, which take longer to make than all that is in it."""

CACHE_HIT: Final = "langchain.cache_hit"

SCALAR_BYTES: Final = 8
"""As `snapshot` reckons."""

MESSAGE_BYTES: Final = 3 * SCALAR_BYTES
"""A place in the list, and two members."""


class ModelCall:
    """
    What is kept of a model's run until its end.

    Args:
        sink: Where it is recorded.
        operation: ``chat`` or ``text_completion``.

    Attributes:
        asked: A list of one conversation, or of one prompt, as LangChain has it; `None` in privacy mode.
        serialized: The model, as LangChain describes it.
        params: The request's parameters.
    """

    __slots__ = ("asked", "operation", "params", "serialized", "sink")

    def __init__(self, sink: Sink, operation: str) -> None:
        self.sink = sink
        self.operation = operation
        self.asked: object = None
        self.serialized: Fields = NOTHING
        self.params: Fields = NOTHING

    @property
    def may_have_terms(self) -> bool:
        """Whether what this very request says may be `terms`; the model itself may have more of them."""
        params = self.params
        return SPEED in params or GEO in params or params.get("model_kwargs") is not None

    @property
    def terms(self) -> list[Fields]:
        """Where terms are asked for that raise the price; nearly always nowhere."""
        params = self.params
        asked = (params, as_fields(params.get("model_kwargs")), as_fields(self.serialized.get("kwargs")))
        for place in asked:
            if SPEED in place or GEO in place:
                return [each for each in asked if SPEED in each or GEO in each]
        return []

    def content(self) -> tuple[object, int]:
        """
        What was asked, by copies, and roughly its size; what LangChain's messages hold is the application's. Not yet
        `written_out`.

        Nothing where that cannot be read: the money is recorded all the same.
        """
        try:
            asked: Any = as_items(self.asked)
            first: object = asked[0] if asked else None
            return conversation(first) if self.operation == "chat" else snapshot({"prompt": first})
        except BaseException:
            with guarded("reading what a model of LangChain's was asked"):  # entered only now, as for the whole call
                raise
        return None, 0


def conversation(asked: object) -> tuple[list[object], int]:
    """LangChain's messages, each as a `snapshot` in the usual form; of one that is a text alone, its role and it."""
    messages: list[object] = []
    size_bytes = SCALAR_BYTES
    for message in as_items(asked):
        # Of a message that is nothing but a text: a quarter of what a look at everything that may be in one takes.
        members: Any = getattr(message, "__dict__", NOTHING)
        kind, content = members.get("type"), members.get("content")
        if type(kind) is not str or kind not in PLAIN or type(content) is not str or members.get("tool_calls"):
            # Each for itself: what a tool was called with is deeper in the whole than copies go.
            for kept, kept_bytes in map(snapshot, langchain_messages([message])):
                messages.append(kept)
                size_bytes += SCALAR_BYTES + kept_bytes
        else:
            role, role_bytes = PLAIN[kind]
            messages.append((role, content))
            size_bytes += role_bytes + len(content)
    return messages, size_bytes


def written_out(asked: object) -> object:
    """What `ModelCall.content` says was asked, in the usual form."""
    return {"messages": [*map(_written_out, as_items(asked))]} if type(asked) is list else asked


def _written_out(message: Any) -> object:
    kind = type(message)  # pyright: ignore[reportUnknownVariableType]
    return dict(zip(TEXT, message, strict=True)) if kind is tuple else message


TEXT: Final = ("role", "content")

NOTHING: Final[Fields] = {}

PLAIN: Final[Mapping[str, tuple[str, int]]] = {
    kind: (role, MESSAGE_BYTES + len(role))
    for kind, role in {"human": "user", "system": "system", "ai": "assistant", "AIMessageChunk": "assistant"}.items()
}
"""LangChain's word for who speaks, in messages that may be a text alone → the usual one, and the size beside a text."""


def in_force_for(run: Run, call: ModelCall, *, is_free: bool) -> InForceThen:
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
    usual = run.attributed(said, state.defaults)
    if usual is not None:
        return usual, None, run.tells_all
    return in_force_then(said, state.defaults, run.around(itself=True), run.span_parent)


def _said(params: Fields) -> Attribution:
    """What the request itself says, the way OpenRouter takes it."""
    extra, user = params.get("extra_body"), params.get("user")
    if extra is None and user is None:
        return NOBODY
    fields = as_fields(extra)
    if not fields and user is None:
        return NOBODY
    return attribution_in(fields, fields.get("user") if user is None else user)
