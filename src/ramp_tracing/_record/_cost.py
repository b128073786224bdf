"""What a call cost."""

from decimal import Decimal
from typing import Literal

from .._dataclass import dataclass

CostSource = Literal["provider", "gateway", "price_table", "custom"]
"""Who said so: the provider's answer, a gateway in between, the bundled price table, or the user's own table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """
    Money in US dollars, exact. There is no `Cost` where the price is unknown; a total of 0 is a call that was free.

    Attributes:
        total: What the call cost.
        input: The input's share, where it is known; then ``input + output == total``.
        output: The output's share.
        source: Who said so.
        price_list: What it was computed by, and its version, where it was computed by us: ``genai-prices 0.2.3``.
        price_date: The day (UTC, ISO 8601) whose prices were applied, where it was computed by us.
    """

    total: Decimal
    source: CostSource
    input: Decimal | None = None
    output: Decimal | None = None
    price_list: str | None = None
    price_date: str | None = None
