"""Loading the price table does not load an HTTP client."""

import subprocess
import sys
import textwrap
from pathlib import Path

import ramp_tracing


def run(program: str) -> str:
    """What a fresh interpreter prints."""
    source = str(Path(ramp_tracing.__file__).parents[1])
    program = f"import sys; sys.path.insert(0, {source!r})\n" + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip()


def test_no_http_client_is_loaded() -> None:
    """A half-imported httpx2 in `sys.modules` breaks every call of openai 2 that is made meanwhile."""
    seen = run("""
        from ramp_tracing._pricing._genai_prices import genai_prices
        usage = genai_prices().Usage(input_tokens=1_000_000)
        price = genai_prices().calc_price(usage, "gpt-4o", provider_id="openai").total_price
        print(price, "httpx2" in sys.modules, "genai_prices.update_prices" in sys.modules)
    """)
    assert seen == "2.50 False False"


def test_an_application_can_still_fetch_prices() -> None:
    """What we left out is there for whoever asks for it, from anywhere."""
    seen = run("""
        from ramp_tracing._pricing._genai_prices import genai_prices
        genai_prices()
        from genai_prices import UpdatePrices, wait_prices_updated_sync
        import genai_prices.update_prices as fetcher
        print(UpdatePrices is fetcher.UpdatePrices, callable(wait_prices_updated_sync), "httpx2" in sys.modules)
    """)
    assert seen == "True True True"


def test_an_application_that_has_it_keeps_it() -> None:
    """Where the package is imported already, that is the one."""
    seen = run("""
        import genai_prices as theirs
        from ramp_tracing._pricing._genai_prices import genai_prices
        print(genai_prices() is theirs, theirs.UpdatePrices is theirs.update_prices.UpdatePrices)
    """)
    assert seen == "True True"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As before."""
    seen = run("""
        from ramp_tracing._pricing._genai_prices import genai_prices
        print(hasattr(genai_prices(), "nothing"), hasattr(genai_prices(), "__path__"))
    """)
    assert seen == "False True"
