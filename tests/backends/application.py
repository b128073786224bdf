"""
An application that is instrumented in one line, and the calls that it makes: a process of its own.

The variables BACKEND_… say what the line says, and which calls to make; where BACKEND_EXPORTER is set, an exporter of
OpenTelemetry's is named in it, too.
"""

import json
import os
from contextlib import suppress
from typing import Any

import openai

import ramp_tracing

QUESTION: Any = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Which receipts are outside the policy?"},
]


def instrument() -> None:
    options: Any = json.loads(os.environ["BACKEND_OPTIONS"])
    if exporter := os.environ.get("BACKEND_EXPORTER"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        headers = json.loads(os.environ["BACKEND_EXPORTER_HEADERS"])
        options["span_exporters"] = [OTLPSpanExporter(endpoint=exporter, headers=headers)]
    ramp_tracing.instrument(**options)


def call_openai() -> None:
    """A tree of two named levels: an answer, a stream, an embedding, and a call that fails."""
    client = openai.OpenAI(base_url=os.environ["BACKEND_OPENAI"], api_key="sk-none", max_retries=0)
    with ramp_tracing.trace(user="ada", session_id="s-1", trace_name="Invoice run", span_name="read", team="finance"):
        client.chat.completions.create(model="gpt-4o", messages=QUESTION, temperature=0.5, max_tokens=300)
        for _ in client.chat.completions.create(model="gpt-4.1-mini", messages=QUESTION, stream=True):
            pass
        client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
        with suppress(openai.NotFoundError):
            client.chat.completions.create(model="gpt-4o-maxi", messages=QUESTION)
    client.close()


def call_openrouter() -> None:
    """A router that says what it cost, and a model that nobody has a price for."""
    client = openai.OpenAI(base_url=os.environ["BACKEND_OPENROUTER"], api_key="sk-none", max_retries=0)
    with ramp_tracing.trace(user="grace", session_id="s-2"):
        client.chat.completions.create(model="anthropic/claude-sonnet-4.5", messages=QUESTION)
        client.chat.completions.create(model="house-model-7b", messages=QUESTION)
    client.close()


def call_langchain() -> None:
    """A chain with a tool and a retriever before its model."""
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import RunnableLambda
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    class Shelf(BaseRetriever):
        """Knows one thing."""

        def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
            return [Document(f"on {query}: receipts above 50 are refused")]

    @tool
    def look_up(subject: str) -> str:
        """Look a subject up."""
        return Shelf().invoke(subject)[0].page_content

    def ask(subject: str) -> str:
        return str(look_up.invoke(subject))

    url, key = os.environ["BACKEND_OPENAI"], "sk-none"
    model = ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key=key, max_retries=0)  # type: ignore[arg-type]
    chain = (RunnableLambda(ask) | model).with_config(run_name="Policy desk")
    chain.invoke("travel", config={"metadata": {"user_id": "ada", "session_id": "s-3"}})


CALLS = {"openai": call_openai, "openrouter": call_openrouter, "langchain": call_langchain}

if __name__ == "__main__":
    instrument()
    for name in os.environ["BACKEND_CALLS"].split():
        CALLS[name]()
    print(json.dumps({"flushed": ramp_tracing.flush(90), "acknowledged": ramp_tracing.stats().acknowledged}))
    ramp_tracing.uninstrument()
