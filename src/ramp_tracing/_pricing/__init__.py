"""
What a call cost: the first that knows is believed, and where nobody knows there is no cost.

The order: what the provider itself or a gateway reported (read by the normalizers), then the user's own prices, then
the bundled price table.
"""

from ._ladder import priced
from ._litellm_map import LiteLLMPrices, litellm_file
from ._offers import Offers
from ._rungs import Rung, provider_listing, rungs_of

__all__ = ["LiteLLMPrices", "Offers", "Rung", "litellm_file", "priced", "provider_listing", "rungs_of"]
