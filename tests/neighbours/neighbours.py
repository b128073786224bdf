"""The other instrumentations, each of them as its own documents say that it is switched on, without a network."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from .datadog import Datadog
from .opentelemetry_spans import Instrumentors, Langfuse, Logfire
from .sentry import Sentry


class Neighbour(Protocol):
    """
    One other instrumentation.

    Attributes:
        packages: What is installed of it.
        can_stop: Whether it can be taken out again.
    """

    packages: tuple[str, ...]
    can_stop: bool

    def start(self) -> None:
        """Switch it on."""
        ...

    def stop(self) -> None:
        """Take it out."""
        ...

    def around(self, label: str) -> AbstractContextManager[Any]:
        """What its users put around a piece of work."""
        ...

    def taken(self) -> list[Any]:
        """What it has recorded since it was asked last, without what changes from run to run."""
        ...


NEIGHBOURS: Final[Mapping[str, Callable[[], Neighbour]]] = {
    "openinference": lambda: Instrumentors(
        {"openinference-instrumentation-openai": "openinference.instrumentation.openai.OpenAIInstrumentor"}
    ),
    "openllmetry": lambda: Instrumentors(
        {"opentelemetry-instrumentation-openai": "opentelemetry.instrumentation.openai.OpenAIInstrumentor"}
    ),
    "genai": lambda: Instrumentors(
        {"opentelemetry-instrumentation-genai-openai": "opentelemetry.instrumentation.genai.openai.OpenAIInstrumentor"}
    ),
    "openai-v2": lambda: Instrumentors(
        {"opentelemetry-instrumentation-openai-v2": "opentelemetry.instrumentation.openai_v2.OpenAIInstrumentor"}
    ),
    "http": lambda: Instrumentors(
        {
            f"opentelemetry-instrumentation-{name}": f"opentelemetry.instrumentation.{name}.{kind}Instrumentor"
            for name, kind in HTTP_CLIENTS.items()
        }
    ),
    "logfire": Logfire,
    "langfuse": Langfuse,
    "ddtrace": Datadog,
    "sentry": Sentry,
}
"""By the name that a session is given."""

HTTP_CLIENTS: Final = {
    "httpx": "HTTPXClient",
    "requests": "Requests",
    "urllib": "URLLib",
    "urllib3": "URLLib3",
    "threading": "Threading",
}
