"""The tier that an answer says it was served in, by which it is billed."""

from typing import Final

from ._reading import Path, as_name, dig

ORDINARY: Final = frozenset({"standard", "ON_DEMAND"})

IN_USAGE: Final[tuple[Path, ...]] = (("speed",), ("service_tier",), ("serviceTier",), ("trafficType",))
"""
Where a usage object says it; what is not ordinary goes first. Anthropic's fast mode and tiers, Mistral's; Gemini's;
Vertex's (``ON_DEMAND``, ``PROVISIONED_THROUGHPUT``).
"""


def service_tier_in(answer: object, usage: object) -> str | None:
    """The tier; `None` where the answer does not say."""
    tier = as_name(dig(answer, "service_tier"))
    if tier is not None or usage is None:
        return tier
    said = [name for path in IN_USAGE if (name := as_name(dig(usage, *path)))]
    return next((name for name in said if name not in ORDINARY), said[0] if said else None)
