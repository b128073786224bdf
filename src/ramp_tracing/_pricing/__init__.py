"""
What a call cost: the first that knows is believed, and where nobody knows there is no cost.

The order: what the provider itself reported (read by the normalizers), then the bundled price table.
"""

from ._ladder import priced

__all__ = ["priced"]
