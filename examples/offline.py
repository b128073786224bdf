"""
Run another example without keys and without a network: python examples/offline.py examples/quickstart.py

On 127.0.0.1 one server plays OpenAI, one OpenRouter, and one Ramp. What the last received is printed in the end.
"""

import functools
import os
import runpy
import sys
import tempfile
from collections.abc import Iterator

import ramp_tracing
from ramp_tracing.cli._demo._models import model_servers
from ramp_tracing.testing import FakeRamp, ReceivedSpan


def line_of(generation: ReceivedSpan) -> str:
    """What finance would look at first."""
    attributes = generation.attributes
    usage = [attributes.get(f"gen_ai.usage.{name}", "?") for name in ("input_tokens", "output_tokens", "total_cost")]
    prefix = "trace.metadata."
    said = {key.removeprefix(prefix): value for key, value in attributes.items() if key.startswith(prefix)}
    metadata = {key: value for key, value in said.items() if not key.startswith("openrouter.")}
    who = attributes.get("user.id", "nobody")
    model = attributes.get("gen_ai.response.model") or attributes.get("gen_ai.request.model")
    return f"{generation.name} | {model} | {usage[0]} in, {usage[1]} out | ${usage[2]} | {who} | {metadata}"


def lines_of_tree(spans: list[ReceivedSpan], parent: str | None = None, indent: str = "  ") -> Iterator[str]:
    """Every span under the one that it is part of, in the order in which they began."""
    for span in sorted((each for each in spans if each.parent_span_id == parent), key=lambda each: each.start):
        usage = [span.attributes.get(f"gen_ai.usage.{name}", "?") for name in ("input_tokens", "output_tokens")]
        yield f"{indent}{span.name}" + (f" ({usage[0]} in, {usage[1]} out)" if span.is_generation else "")
        yield from lines_of_tree(spans, span.span_id, indent + "    ")


script = sys.argv[1]
with model_servers() as servers, FakeRamp() as ramp, tempfile.TemporaryDirectory() as state:
    os.environ |= {
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": servers.base_urls["openai"],
        "OPENROUTER_API_KEY": "none",
        "OPENROUTER_BASE_URL": servers.base_urls["openrouter"],
        "RAMP_API_KEY": "none",
        "RAMP_BASE_URL": ramp.url,
        "RAMP_TRACING_STATE_DIR": state,
        "NO_PROXY": "127.0.0.1",
    }
    # Nobody could know who answers at an address on this machine, so it is said, as it would be of a gateway.
    ramp_tracing.instrument = functools.partial(ramp_tracing.instrument, providers=servers.providers)
    runpy.run_path(script, run_name="__main__")
    ramp_tracing.flush(15)
    ramp_tracing.uninstrument()
    print(f"\nGenerations that Ramp would have received: {len(ramp.generations)}")
    for each in ramp.generations:
        print("  " + line_of(each))
    spans = list({each.span_id: each for each in ramp.spans}.values())
    if any(not each.is_generation for each in spans):
        print("As trees:", *lines_of_tree(spans), sep="\n")
