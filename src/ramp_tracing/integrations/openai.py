"""The openai client, majors 1, 2 and 3: https://github.com/openai/openai-python"""

import re
from collections.abc import Mapping
from typing import Any, Final

from .._normalizers import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    IMAGES,
    JOBS,
    MODERATIONS,
    PAGES,
    REALTIME,
    RESPONSES,
    SPEECH,
    TRANSCRIPTIONS,
)
from .._providers import asks_for_usage, provider_of
from .._state import state
from ._doors import Doors, Library
from ._routes import Channel, Route, Routes
from ._socket_hook import SocketHook

__all__ = ["install", "uninstall"]

VIDEO: Final = Route(operation="video_generation", format=JOBS, creates_jobs=True)

ROUTES: Final = Routes(
    billable={
        "/chat/completions": Route(operation="chat", format=CHAT, asks_for_usage=True),
        "/completions": Route(operation="text_completion", format=COMPLETIONS, asks_for_usage=True),
        "/responses": Route(operation="chat", format=RESPONSES, creates_jobs=True),
        "/responses/compact": Route(operation="compact", format=RESPONSES),
        "/embeddings": Route(operation="embeddings", format=EMBEDDINGS),
        "/images/generations": Route(operation="image_generation", format=IMAGES),
        "/images/edits": Route(operation="image_edit", format=IMAGES),
        "/images/variations": Route(operation="image_variation", format=IMAGES),
        "/audio/speech": Route(operation="speech", format=SPEECH),
        "/audio/transcriptions": Route(operation="transcription", format=TRANSCRIPTIONS),
        "/audio/translations": Route(operation="translation", format=TRANSCRIPTIONS),
        "/moderations": Route(operation="moderation", format=MODERATIONS),
        "/videos": VIDEO,
        "/videos/edits": VIDEO,
        "/videos/extensions": Route(operation="video_extension", format=JOBS, creates_jobs=True),
        "/remix": VIDEO,
        "/batches": Route(operation="batch", format=JOBS, creates_jobs=True),
    },
    jobs={
        "responses": Route(operation="chat", format=RESPONSES, settles=True),
        "videos": Route(operation="video_generation", format=JOBS, settles=True),
        "batches": Route(operation="batch", format=JOBS, settles=True),
    },
    lists={
        "videos": Route(operation="video_generation", format=PAGES, settles=True, lists=True),
        "batches": Route(operation="batch", format=PAGES, settles=True, lists=True),
    },
    files=Route(operation="batch", format=JOBS, fetches=True),
    never=re.compile(r"/chat/completions/[^/]+$|/runs/[^/]+(/cancel)?$"),
)

REALTIME_CHANNEL: Final = Channel(operation="realtime", format=REALTIME)
RESPONSES_CHANNEL: Final = Channel(operation="chat", format=RESPONSES, in_turn=True)
LIVE_CHANNEL: Final = Channel(operation="chat", format=RESPONSES, delegates=True)

CHANNELS: Final = {
    "openai.lib.responses_websocket._session": RESPONSES_CHANNEL,
    "openai.resources.beta.realtime.realtime": REALTIME_CHANNEL,
    "openai.resources.realtime.realtime": REALTIME_CHANNEL,
    "openai.resources.beta.responses.responses": RESPONSES_CHANNEL,
    "openai.resources.live.forks": LIVE_CHANNEL,
    "openai.resources.live.live": LIVE_CHANNEL,
    "openai.resources.live.sideband": LIVE_CHANNEL,
    "openai.resources.responses.responses": RESPONSES_CHANNEL,
}
"""Where the client has its websockets, and what sends over them. Those of `realtime.translations` report no tokens."""

FIRST_AZURE_VERSION: Final = "2024-09-01"
"""Older API versions of Azure answer ``stream_options`` with 400; https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle"""


KINDS: Final[Mapping[str, str]] = {
    "BaseAzureClient": "azure.ai.openai",
    "BedrockOpenAI": "aws.bedrock",
    "AsyncBedrockOpenAI": "aws.bedrock",
}
"""Class of a platform's clients → provider; Azure's two share one that is not public."""


def provider(client: Any, host: str | None, port: int | None) -> str | None:
    """Who is called: what the user said of the host, the host itself, then the kind of client."""
    known = provider_of(host, port, state.providers)
    if known is None:
        named = (KINDS.get(each.__name__) for each in type(client).__mro__)
        return next((each for each in named if each is not None), None)
    return known


def may_ask_for_usage(client: Any, host: str | None, body: Mapping[str, object]) -> bool:
    """
    Whether the server is known to understand ``stream_options.include_usage``.

    Azure does since an API version, but not for requests with ``data_sources``.
    """
    if provider(client, host, None) == "azure.ai.openai":
        return "data_sources" not in body and _azure_version(client) >= FIRST_AZURE_VERSION
    return host is not None and asks_for_usage(host)


def _azure_version(client: Any) -> str:
    """The ``api-version``; the v1 API has none, or a word, and is newer than every date."""
    version = client.default_query.get("api-version")
    return version if isinstance(version, str) and version[:1].isdigit() else "v1"


_doors: Final = Doors(Library(name="openai", routes=ROUTES, provider=provider, asks_for_usage=may_ask_for_usage))
_sockets: Final = SocketHook("openai", CHANNELS, provider=provider)


def install() -> None:
    """Hook the client, which has been imported."""
    _doors.install()
    _sockets.install()


def uninstall() -> None:
    """Leave nothing behind."""
    _sockets.uninstall()
    _doors.uninstall()
