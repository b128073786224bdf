"""The calls that the demo makes, and whom each is charged to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

CALL: Final = "call"
"""The key of the metadata under which each call carries a name of its own, so that each record can be told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """
    Whom a call is charged to.

    Attributes:
        user: Who asked.
        department: Whose budget it is.
        cost_center: Where it is booked.
    """

    user: str
    department: str
    cost_center: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One call, made once with the synchronous and once with the asynchronous client.

    Attributes:
        at: Whom it goes to.
        method: The client's method.
        arguments: The method's arguments.
        payer: Whom it is charged to.
        fails: Whether the provider refuses it.
    """

    at: Literal["openai", "openrouter"] = "openai"
    method: str = "chat.completions.create"
    arguments: Mapping[str, object]
    payer: Payer
    fails: bool = False

    @property
    def streamed(self) -> bool:
        """Whether the answer comes piece by piece."""
        return bool(self.arguments.get("stream"))


def _chat(model: str, text: str, **more: object) -> Mapping[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


MARKETING: Final = Payer(user="ana", department="marketing", cost_center="CC-2001")
SUPPORT: Final = Payer(user="ben", department="support", cost_center="CC-3040")
FINANCE: Final = Payer(user="chloe", department="finance", cost_center="CC-1234")

STEPS: Final = (
    Step(arguments=_chat("gpt-4o-mini", "Where should the team meet in May?"), payer=MARKETING),
    Step(
        arguments=_chat("gpt-4.1-mini", "Where is my parcel?", stream=True, stream_options={"include_usage": True}),
        payer=SUPPORT,
    ),
    Step(arguments=_chat("gpt-4o", "Check these receipts against our policy: …"), payer=FINANCE),
    Step(arguments=_chat("o4-mini", "How long will the cash last?"), payer=FINANCE),
    Step(
        method="embeddings.create",
        arguments={"model": "text-embedding-3-small", "input": ["How do I return it?", "When do you open?"]},
        payer=SUPPORT,
    ),
    Step(method="responses.create", arguments={"model": "gpt-4.1", "input": "When does it renew?"}, payer=FINANCE),
    Step(
        method="responses.create",
        arguments={"model": "gpt-4.1-mini", "input": "Where is my parcel?", "stream": True},
        payer=SUPPORT,
    ),
    Step(at="openrouter", arguments=_chat("anthropic/claude-sonnet-4.5", "Who sells us what?"), payer=FINANCE),
    Step(
        at="openrouter",
        arguments=_chat("deepseek/deepseek-chat-v3.1", "Anything odd last week?", stream=True),
        payer=FINANCE,
    ),
    Step(arguments=_chat("house-model-7b", "Which category is a train ticket?"), payer=MARKETING),
    Step(arguments=_chat("gpt-4o-maxi", "Are you there?"), fails=True, payer=MARKETING),
    Step(arguments=_chat("gpt-4o-strict", "Be wild!", temperature=9), fails=True, payer=MARKETING),
)
"""Plain, streamed, cached, reasoning, embeddings, both APIs, costs reported and computed, no price, and refusals."""
