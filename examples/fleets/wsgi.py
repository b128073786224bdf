"""
A WSGI application without a framework, for gunicorn_conf.py. Needs OPENAI_API_KEY and RAMP_API_KEY.

A worker that is killed has written its records down; another worker, or the next start, sends them.
"""

from collections.abc import Callable, Iterable
from typing import Any

import openai

import ramp_tracing

ramp_tracing.instrument(trace={"team": "support"})

client = openai.OpenAI()


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer with what the model says."""
    with ramp_tracing.trace(user=environ.get("HTTP_X_USER"), cost_center=environ.get("HTTP_X_COST_CENTER")):
        answer = client.responses.create(model="gpt-4.1", input="Where is my parcel?")
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [answer.output_text.encode()]
