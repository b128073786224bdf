"""How a recorded call is made again with the openai client."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from inspect import signature
from operator import attrgetter
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from .shelf import Row

openai: Any = pytest.importorskip("openai")

METHODS: Final[Mapping[str, str]] = {
    "chat.completions": "chat.completions.create",
    "completions": "completions.create",
    "responses": "responses.create",
    "embeddings": "embeddings.create",
    "moderations": "moderations.create",
    "images.generate": "images.generate",
    "images.edit": "images.edit",
    "audio.speech": "audio.speech.create",
    "audio.transcriptions": "audio.transcriptions.create",
}
"""Endpoint → the client's method for it."""

NOT_MADE: Final[Mapping[str, str]] = {
    "anthropic.messages": "Anthropic's own API",
    "bedrock.converse": "Bedrock's own API",
    "bedrock.invoke": "Bedrock's own API",
    "cohere.chat": "Cohere's own API",
    "gemini.generate": "Gemini's own API",
    "ollama.chat": "Ollama's own API",
}
"""Endpoints that the openai client has no method for → whose they are."""

FREE: Final = ""
"""The endpoint of a call that generates nothing: the client can make it, and it must leave no record."""

FILE_FIELDS: Final = frozenset({"file", "image", "mask"})
"""Form fields that are files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One call to make.

    Attributes:
        method: A dotted path below the client.
        arguments: The recorded ones; those that the method does not know go into ``extra_body``.
    """

    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def on(self, client: Any) -> Any:
        """Make it: the answer, or what is to be awaited for it."""
        method = attrgetter(self.method)(client)
        known = signature(method).parameters
        unknown = {name: value for name, value in self.arguments.items() if name not in known}
        arguments = {name: value for name, value in self.arguments.items() if name in known}
        return method(**arguments, extra_body=unknown) if unknown else method(**arguments)


def call_of(row: Row, interaction: Any) -> Call:
    """The call that was recorded as *interaction*."""
    if row.endpoint == FREE:
        store, batch = re.findall(r"vector_stores/(\w+)/file_batches/(\w+)", interaction.uri)[0]
        return Call(method=FILES_OF_A_BATCH, arguments={"vector_store_id": store, "batch_id": batch})
    given = dict(interaction.request_headers).get("content-type", "")
    body = _form(given, interaction.request_body) if given.startswith("multipart/") else interaction.json
    return Call(method=METHODS[row.endpoint], arguments=body)


FILES_OF_A_BATCH: Final = "vector_stores.file_batches.list_files"
"""The one recorded call that generates nothing: somebody asks whether files have been indexed."""


def _form(content_type: str, body: bytes) -> dict[str, Any]:
    """The fields of a multipart form; a field that is there several times (``image[0]``…) is a list."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        bare, _, number = name.partition("[")
        content = part.get_payload(decode=True)
        value = (part.get_filename(), content) if bare in FILE_FIELDS else content.decode()
        fields[bare] = [*fields.get(bare, ()), value] if number else value
    return fields


@contextmanager
def client_for(row: Row, server: Any) -> Iterator[Any]:
    """The client that an application would use for this provider, with *server* in its place."""
    kind = openai.AzureOpenAI if row.provider == "azure_openai" else openai.OpenAI
    with openai.DefaultHttpxClient(verify=False) as http, kind(http_client=http, **_options(row, server)) as client:
        yield client


@asynccontextmanager
async def async_client_for(row: Row, server: Any) -> AsyncIterator[Any]:
    """`client_for`, asynchronous."""
    kind = openai.AsyncAzureOpenAI if row.provider == "azure_openai" else openai.AsyncOpenAI
    http = openai.DefaultAsyncHttpxClient(verify=False)
    async with http, kind(http_client=http, **_options(row, server)) as client:
        yield client


def _options(row: Row, server: Any) -> dict[str, Any]:
    """No retries, which would ask for answers that were not recorded."""
    options = {"api_key": "test", "max_retries": 0}
    if row.provider != "azure_openai":
        return {**options, "base_url": f"{server.url}/v1" if row.endpoint == FREE else server.base_url}
    version = parse_qs(urlsplit(server.interactions[0].uri).query)["api-version"][0]
    return {**options, "azure_endpoint": server.url, "api_version": version}


def finish(answer: Any) -> list[str]:
    """Read *answer* to its end, as an application does: the chunks of a stream as JSON, nothing of a whole answer."""
    if isinstance(answer, openai.Stream):
        return [chunk.to_json(indent=None) for chunk in answer]
    return []


async def finish_async(answer: Any) -> list[str]:
    """`finish`, asynchronous."""
    if isinstance(answer, openai.AsyncStream):
        return [chunk.to_json(indent=None) async for chunk in answer]
    return []
