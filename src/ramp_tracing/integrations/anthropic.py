"""The anthropic client, also for Bedrock and Vertex: https://github.com/anthropics/anthropic-sdk-python"""

import re
from collections.abc import Mapping
from typing import Any, Final

from .._normalizers import late
from .._providers import provider_of
from .._state import state
from ._doors import Doors, Library
from ._routes import Route, Routes

__all__ = ["install", "uninstall"]

MESSAGE: Final = Route(operation="chat", format=late("_anthropic", "MESSAGES"))
MESSAGE_BATCHES: Final = late("_anthropic", "MESSAGE_BATCHES")

ROUTES: Final = Routes(
    billable={
        "/v1/messages": MESSAGE,
        "/messages": MESSAGE,
        "/messages/batches": Route(operation="batch", format=MESSAGE_BATCHES, creates_jobs=True),
    },
    jobs={"batches": Route(operation="batch", format=MESSAGE_BATCHES, settles=True)},
    # What these report was used by other calls: agents' sessions tell it anew with each answer.
    never=re.compile(r"/messages/count_tokens|/v1/(sessions|dreams|deployments|environments|organizations)\b"),
)

PLATFORMS: Final[Mapping[str, str]] = {
    "BaseBedrockClient": "aws.bedrock",
    "BaseMantleClient": "aws.bedrock",
    "BaseVertexClient": "gcp.vertex_ai",
}
"""Class that the sync and the async client of a platform share, which is not public → provider."""


def provider(client: Any, host: str | None, port: int | None) -> str | None:
    """Who is called: what the user said of the host, the host itself, then the kind of client."""
    known = provider_of(host, port, state.providers)
    if known is None:
        named = (PLATFORMS.get(each.__name__) for each in type(client).__mro__)
        return next((each for each in named if each is not None), None)
    return known


_doors: Final = Doors(Library(name="anthropic", routes=ROUTES, provider=provider))


def install() -> None:
    """Hook the client, which has been imported."""
    _doors.install()


def uninstall() -> None:
    """Leave nothing behind."""
    _doors.uninstall()
