"""
Who pays: the ways to say for whom a call is made.

Needs OPENAI_API_KEY, OPENROUTER_API_KEY and RAMP_API_KEY. Without keys and without a network:

    python examples/offline.py examples/attribution.py
"""

import contextvars
import os
import threading

import openai

import ramp_tracing

# What holds for the whole process.
ramp_tracing.instrument(trace={"environment": "staging"})

client = openai.OpenAI()
router = openai.OpenAI(
    base_url=os.environ.get("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1"),
    api_key=os.environ["OPENROUTER_API_KEY"],
)


def ask(question: str) -> str:
    """One call; it says nothing about who it is for."""
    response = client.responses.create(model="gpt-4.1", input=question)
    return response.output_text


# A block: every call inside, also in tasks and in functions that are called from here.
with ramp_tracing.trace(user="ada", session_id="chat-17", department="finance", cost_center="CC-1234"):
    ask("When does the contract renew?")

    # An inner block adds to the outer one, and goes before it.
    with ramp_tracing.trace(trace_name="Month end", generation_name="Check renewal", cost_center="CC-9000"):
        ask("And what does it cost to end it?")

    # A thread starts with nothing; hand it what is in force here.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(ask, "Is there a notice period?"))
    thread.start()
    thread.join()


# A decorator, of functions and coroutines: every run is a block.
@ramp_tracing.trace(team="search", generation_name="Rank results")
def rank() -> str:
    """A job of the search team."""
    return ask("Which of these is the best match?")


rank()

# In the request itself, the way OpenRouter takes it. Other providers refuse fields they do not know: use a block there.
router.chat.completions.create(
    model="anthropic/claude-sonnet-4.5",
    messages=[{"role": "user", "content": "Who sells us the same thing twice?"}],
    extra_body={
        "user": "grace",
        "session_id": "audit-3",
        "trace": {"trace_name": "Vendor audit", "department": "procurement", "cost_center": "CC-5150"},
    },
)
