"""
AWS Lambda: the process is stopped between invocations, so what waits is sent before each ends.

Settings of the function: RAMP_API_KEY and OPENAI_API_KEY, RAMP_TRACING_STATE_DIR=/tmp/ramp_tracing (the only place that
can be written), handler `lambda_handler.handler`, and a timeout that leaves two seconds for the flush.
"""

from typing import Any

import openai

import ramp_tracing

ramp_tracing.instrument(trace={"team": "support"})  # once for each environment, not for each invocation

client = openai.OpenAI()


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Answer one event."""
    try:
        with ramp_tracing.trace(user=event.get("user"), cost_center=event.get("cost_center")):
            answer = client.responses.create(model="gpt-4.1", input=event["question"])
        return {"answer": answer.output_text}
    finally:
        # False if Ramp did not answer in time: then it is sent by a later invocation of the same environment, and lost
        # if there is none.
        ramp_tracing.flush(timeout=2.0)
