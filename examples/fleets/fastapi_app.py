"""
FastAPI, or any ASGI application: who a request is for is said once, around everything that it does.

    pip install fastapi uvicorn "ramp-tracing[openai]"
    uvicorn fastapi_app:app --app-dir examples/fleets --workers 4

Needs OPENAI_API_KEY and RAMP_API_KEY.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import openai
from fastapi import FastAPI

import ramp_tracing

Message = MutableMapping[str, Any]

ramp_tracing.instrument(trace={"team": "support"})

app = FastAPI()
client = openai.AsyncOpenAI()


class WhoPays:
    """
    The block around a request.

    Plain ASGI, because Starlette's `BaseHTTPMiddleware` runs the application in another task. Streamed answers are
    inside the block too: it ends when the last byte is sent.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", [])}
        with ramp_tracing.trace(user=headers.get("x-user"), cost_center=headers.get("x-cost-center")):
            await self.app(scope, receive, send)


app.add_middleware(WhoPays)


@app.post("/ask")
async def ask(question: str) -> dict[str, str]:
    """One call of a model, which says nothing about who it is for."""
    answer = await client.responses.create(model="gpt-4.1", input=question)
    return {"answer": answer.output_text}
