"""
What an answer itself says it cost.

- OpenRouter: ``usage.cost`` in USD; with the user's own provider key (``is_byok``) that is OpenRouter's fee alone and
  the provider charges ``cost_details.upstream_inference_cost`` besides. https://openrouter.ai/docs/use-cases/usage-accounting
- Perplexity: ``usage.cost`` is an object with ``total_cost``. https://docs.perplexity.ai/api-reference/chat-completions-post
- xAI: ``usage.cost_in_usd_ticks``, 10,000,000,000 ticks are one dollar. https://docs.x.ai/docs/api-reference
- Pydantic AI Gateway: ``usage.pydantic_ai_gateway.cost_estimate``, an estimate of the gateway's, and the header
  ``pydantic-ai-gateway-price-estimate: 0.0043USD``.
- DeepInfra, also behind Hugging Face's router: ``usage.estimated_cost`` in USD, in its own word an estimate.
  https://deepinfra.com/docs/openai_api
- LiteLLM's proxy: the header ``x-litellm-response-cost``. https://docs.litellm.ai/docs/proxy/response_headers
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, cast

from .._record import Cost
from ._reading import as_amount, dig, lacks, with_members

TICK_PLACES: Final = -10
"""A tick is a ten-billionth of a dollar."""

EXACT: Final = Context(prec=64, rounding=ROUND_HALF_EVEN)
"""Our own: an application may have set a coarser one for its thread."""


def _charged(usage: object) -> Cost | None:
    fee = as_amount(dig(usage, "cost"))
    if fee is None:
        return None
    upstream = as_amount(dig(usage, "cost_details", "upstream_inference_cost"))
    if dig(usage, "is_byok") is not True:
        return _with_parts(fee, usage)
    return None if upstream is None else Cost(total=EXACT.add(fee, upstream), source="provider")


def _with_parts(total: Decimal, usage: object) -> Cost:
    """The shares of input and output are said only when they add up to what was charged: a fee has no share."""
    for input_name, output_name in PART_NAMES:
        input_cost = as_amount(dig(usage, "cost_details", input_name))
        output_cost = as_amount(dig(usage, "cost_details", output_name))
        if _are_the_whole(input_cost, output_cost, total):
            return Cost(total=total, input=input_cost, output=output_cost, source="provider")
    return Cost(total=total, source="provider")


def _are_the_whole(input_cost: Decimal | None, output_cost: Decimal | None, total: Decimal) -> bool:
    return input_cost is not None and output_cost is not None and EXACT.add(input_cost, output_cost) == total


def _itemised(usage: object) -> Cost | None:
    """An object of amounts. A fee for the request or its searches is a part of neither share."""
    total = as_amount(dig(usage, "cost", "total_cost"))
    if total is None or dig(usage, "cost", "currency") not in (None, "USD"):
        return None
    input_cost = as_amount(dig(usage, "cost", "input_tokens_cost"))
    output_cost = as_amount(dig(usage, "cost", "output_tokens_cost"))
    if _are_the_whole(input_cost, output_cost, total):
        return Cost(total=total, input=input_cost, output=output_cost, source="provider")
    return Cost(total=total, source="provider")


def _ticks(usage: object) -> Cost | None:
    ticks = as_amount(dig(usage, "cost_in_usd_ticks"))
    return None if ticks is None else Cost(total=ticks.scaleb(TICK_PLACES, EXACT), source="provider")


def _estimated_by_gateway(usage: object) -> Cost | None:
    estimate = as_amount(dig(usage, "pydantic_ai_gateway", "cost_estimate"))
    return None if estimate is None else Cost(total=estimate, source="gateway")


def _estimated(usage: object) -> Cost | None:
    """A 0 is no word: whoever calls it an estimate may have none."""
    estimate = as_amount(dig(usage, "estimated_cost"))
    return Cost(total=estimate, source="gateway") if estimate else None


PART_NAMES: Final = (
    ("upstream_inference_prompt_cost", "upstream_inference_completions_cost"),
    ("upstream_inference_input_cost", "upstream_inference_output_cost"),
)
"""Chat completions and Responses name the shares differently."""

READERS: Final[tuple[Callable[[object], Cost | None], ...]] = (
    _charged, _itemised, _ticks, _estimated_by_gateway, _estimated,
)  # fmt: skip


COST_NAMES: Final = frozenset({"cost", "cost_in_usd_ticks", "estimated_cost", "pydantic_ai_gateway"})
"""A usage that has none of these names no cost: nearly all, so that is looked at first."""


def read_cost(usage: object) -> Cost | None:
    """The cost in the ``usage`` object of an answer; `None` where it names none, or not all of it."""
    usage = with_members(usage)
    if usage is None or lacks(usage, COST_NAMES):
        return None
    return next((cost for read in READERS if (cost := read(usage)) is not None), None)


COST_HEADERS: Final[Mapping[str, str]] = {
    "x-litellm-response-cost": "",
    "pydantic-ai-gateway-price-estimate": "USD",
}
"""Header → the currency behind its amount."""


def cost_in_headers(headers: object) -> Cost | None:
    """
    What a gateway says in the headers of a whole answer; those of a stream are sent before anybody knows.

    LiteLLM says 0 of what it has no price for, so a 0 is no word.
    """
    if not isinstance(headers, Mapping):
        return None
    for name, currency in COST_HEADERS.items():
        said = cast("Mapping[str, object]", headers).get(name)
        if isinstance(said, str) and said.endswith(currency):
            amount = as_amount(said.removesuffix(currency).strip())
            if amount:
                return Cost(total=amount, source="gateway")
    return None
