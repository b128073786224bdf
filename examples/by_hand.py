"""
By hand: report the calls of a library that ramp_tracing does not know.

Needs RAMP_API_KEY. Without a key and without a network:

    python examples/offline.py examples/by_hand.py
"""

from dataclasses import dataclass

import ramp_tracing


@dataclass
class Answer:
    """What the library of this example answers."""

    text: str
    tokens_in: int
    tokens_out: int


def ask_acme(question: str) -> Answer:
    """Stands for the call of a library that nobody knows."""
    if not question:
        raise ValueError("acme answers no empty questions")
    return Answer(text=question.upper(), tokens_in=len(question), tokens_out=len(question))


ramp_tracing.instrument()

# Around the call: the block is timed, and what goes wrong in it is noted (and goes on).
with ramp_tracing.record_generation(provider="acme", model="acme-1", user="ada", metadata={"team": "search"}) as call:
    answer = ask_acme("what is new?")
    call.update(input_tokens=answer.tokens_in, output_tokens=answer.tokens_out, cost="0.00042")

try:
    with ramp_tracing.record_generation(provider="acme", model="acme-1", user="ada", metadata={"team": "search"}):
        ask_acme("")
except ValueError:
    pass

# Afterwards: what is known is given, what is not is left out. Without a cost the price table is asked.
ramp_tracing.record_generation(
    provider="openai",
    model="gpt-4o-mini",
    input_tokens=1_200,
    output_tokens=80,
    user="nightly-import",
    metadata={"team": "search"},
)
