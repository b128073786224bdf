"""
LiteLLM's own list of prices, to compare ours with. It is read as a file: importing LiteLLM takes seconds.

The list: https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json, which comes with LiteLLM.
"""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from pathlib import Path
from typing import Final, cast

from .._config import Price

FILE: Final = "model_prices_and_context_window_backup.json"

RATES: Final[Mapping[str, tuple[str, int]]] = {
    "input": ("input_cost_per_token", 1_000_000),
    "output": ("output_cost_per_token", 1_000_000),
    "cached": ("cache_read_input_token_cost", 1_000_000),
    "cache_write": ("cache_creation_input_token_cost", 1_000_000),
    "cache_write_1h": ("cache_creation_input_token_cost_above_1hr", 1_000_000),
    "reasoning": ("output_cost_per_reasoning_token", 1_000_000),
    "input_audio": ("input_cost_per_audio_token", 1_000_000),
    "output_audio": ("output_cost_per_audio_token", 1_000_000),
    "image": ("output_cost_per_image", 1),
    "audio_second": ("input_cost_per_second", 1),
    "video_second": ("output_cost_per_video_per_second", 1),
    "million_characters": ("input_cost_per_character", 1_000_000),
}
"""Our name of a rate → LiteLLM's, and how many of its units ours is for."""

TIERS: Final[Mapping[str, str]] = {"flex": "_flex", "priority": "_priority", "batch": "_batches"}
"""Tier → how LiteLLM's names of its rates end."""

PROVIDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "aws.bedrock": ("bedrock_converse", "bedrock"),
    "azure.ai.openai": ("azure", "azure_ai"),
    "cohere": ("cohere", "cohere_chat"),
    "gcp.gemini": ("gemini",),
    "gcp.gen_ai": ("gemini",),
    "gcp.vertex_ai": ("vertex_ai", "vertex_ai-language-models", "vertex_ai-anthropic_models"),
    "mistral_ai": ("mistral",),
    "moonshot_ai": ("moonshot",),
    "openai": ("openai", "text-completion-openai"),
    "x_ai": ("xai",),
}
"""Our name of a provider → LiteLLM's; what is not here is the same word."""


def litellm_file() -> Path | None:
    """Where the list is, if LiteLLM is installed here."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / FILE
    return path if path.is_file() else None


class LiteLLMPrices:
    """
    The list.

    Args:
        path: Of the file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no such list.
    """

    def __init__(self, path: Path) -> None:
        rows = json.loads(path.read_bytes(), parse_float=Decimal)
        if not isinstance(rows, dict):
            raise ValueError("not an object")
        self._rows = cast("Mapping[str, object]", rows)

    def price(self, provider: str, model: str) -> Price | None:
        """What *model* costs at *provider* (our name of it), if it is listed."""
        names = PROVIDERS.get(provider, (provider,))
        keys = (*(f"{name}/{model}" for name in names), model)
        for key in keys:
            row = self._rows.get(key)
            if isinstance(row, dict):
                found = cast("Mapping[str, object]", row)
                if found.get("litellm_provider") in names and (rates := _rates(found, "")):
                    tiers = {tier: _rates(found, suffix) for tier, suffix in TIERS.items()}
                    return Price(model=model.lower(), rates=rates, tiers={k: v for k, v in tiers.items() if v})
        return None


def _rates(row: Mapping[str, object], suffix: str) -> Mapping[str, Decimal]:
    """Rates that are listed. LiteLLM writes 0 for what it does not know, and for what is free."""
    found = {rate: _amount(row.get(name + suffix), units) for rate, (name, units) in RATES.items()}
    return {rate: amount for rate, amount in found.items() if amount is not None}


def _amount(listed: object, units: int) -> Decimal | None:
    if isinstance(listed, bool) or not isinstance(listed, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(listed)) * units
    except InvalidOperation:
        return None
    return amount.normalize() if amount.is_finite() and amount >= 0 else None
