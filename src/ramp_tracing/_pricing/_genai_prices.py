"""
Loading genai-prices without loading what it could fetch newer prices with.

That is an HTTP client, httpx2, and merely importing it here would break the application: openai 2 looks for
``sys.modules["httpx2"]`` at every call and uses what it finds, which during an import on another thread is half a
module (openai 2.54: ``AttributeError: partially initialized module 'httpx2'``, in most calls of that fifth of a
second). So the part of genai-prices that fetches is loaded when somebody asks for it, which we never do.
"""

import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final

FETCHER: Final = "genai_prices.update_prices"
FETCHING_NAMES: Final = ("UpdatePrices", "wait_prices_updated_async", "wait_prices_updated_sync")
"""What ``genai_prices`` takes from there into its own namespace."""


@cache
def genai_prices() -> ModuleType:
    """The package, as the application itself would import it."""
    if "genai_prices" in sys.modules or FETCHER in sys.modules:
        return import_module("genai_prices")
    stand_in = ModuleType(FETCHER)
    vars(stand_in).update(dict.fromkeys(FETCHING_NAMES))
    sys.modules[FETCHER] = stand_in
    try:
        package = import_module("genai_prices")
    finally:
        del sys.modules[FETCHER]
    _load_the_rest_on_demand(package)
    return package


def _load_the_rest_on_demand(package: ModuleType) -> None:
    """Let ``genai_prices.UpdatePrices`` be the real one for an application that wants it."""
    for name in (*FETCHING_NAMES, "update_prices"):
        vars(package).pop(name, None)

    def load(name: str) -> object:
        if name not in (*FETCHING_NAMES, "update_prices"):
            raise AttributeError(f"module 'genai_prices' has no attribute {name!r}")
        fetcher = import_module(FETCHER)
        return fetcher if name == "update_prices" else getattr(fetcher, name)

    vars(package)["__getattr__"] = load
