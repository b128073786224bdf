"""
What the demo's providers answer, by the name of the model.

All of it is invented: the texts, the counts and the cost. Only the models' names are real, so that they have a price.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    An answer that a model gives.

    Attributes:
        model: The name under which the model answers.
        text: What it says.
        input_tokens: Of the prompt, those from the cache included.
        output_tokens: Of the answer, reasoning included.
        cached_tokens: Part of the input.
        reasoning_tokens: Part of the output.
        served_by: Who ran the model, where a router stands in between.
        cost: US dollars, where the router says so.
        upstream_cost: US dollars that the upstream provider charged to the caller's own key.
    """

    model: str
    text: str = ""
    input_tokens: int
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    served_by: str | None = None
    cost: float | None = None
    upstream_cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """
    An error that a provider answers with.

    Attributes:
        status: The HTTP status.
        type: The provider's kind of error.
        code: The provider's code.
        param: The field of the request that is meant.
        message: For people.
    """

    status: int
    type: str
    code: str | None = None
    param: str | None = None
    message: str


REPLIES: Final[Mapping[str, Reply]] = {
    "gpt-4o-mini": Reply(
        model="gpt-4o-mini-2024-07-18",
        text="Lisbon in May: mild, bright, and the conference rates end on the tenth.",
        input_tokens=412,
        output_tokens=96,
    ),
    "gpt-4o": Reply(
        model="gpt-4o-2024-08-06",
        text="All but two of the receipts are within policy; the dinner on the ninth needs a second approval.",
        input_tokens=6_310,
        output_tokens=284,
        cached_tokens=5_632,
    ),
    "o4-mini": Reply(
        model="o4-mini-2025-04-16",
        text="Forty-one days, if invoices keep being paid on the day they are due.",
        input_tokens=1_874,
        output_tokens=2_216,
        reasoning_tokens=1_984,
    ),
    "gpt-4.1": Reply(
        model="gpt-4.1-2025-04-14",
        text="The contract renews by itself unless it is ended ninety days before.",
        input_tokens=9_051,
        output_tokens=133,
    ),
    "gpt-4.1-mini": Reply(
        model="gpt-4.1-mini-2025-04-14",
        text="Your parcel left the warehouse this morning and should be with you on Thursday.",
        input_tokens=738,
        output_tokens=152,
        cached_tokens=512,
    ),
    "text-embedding-3-small": Reply(model="text-embedding-3-small", input_tokens=2_960),
    "house-model-7b": Reply(model="house-model-7b", text="category: travel", input_tokens=220, output_tokens=4),
    "anthropic/claude-sonnet-4.5": Reply(
        model="anthropic/claude-sonnet-4.5",
        text="Three vendors sell you the same thing; together they cost more than any one of them would.",
        input_tokens=3_120,
        output_tokens=465,
        served_by="Anthropic",
        cost=0.016335,
    ),
    "deepseek/deepseek-chat-v3.1": Reply(
        model="deepseek/deepseek-chat-v3.1",
        text="Nothing unusual in the ledger of last week.",
        input_tokens=5_440,
        output_tokens=71,
        served_by="DeepInfra",
        cost=0.000058,
        upstream_cost=0.00115,
    ),
}

REFUSALS: Final[Mapping[str, Refusal]] = {
    "gpt-4o-maxi": Refusal(
        status=404,
        type="invalid_request_error",
        code="model_not_found",
        message="The model `gpt-4o-maxi` does not exist or you do not have access to it.",
    ),
    "gpt-4o-strict": Refusal(
        status=400,
        type="invalid_request_error",
        code="unsupported_value",
        param="temperature",
        message="Unsupported value: 'temperature' does not support 9 with this model.",
    ),
}

NO_SUCH_MODEL: Final = Refusal(
    status=404, type="invalid_request_error", code="model_not_found", message="This demo does not know the model."
)
