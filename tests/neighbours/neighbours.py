"""The other instrumentations, each of them as its own documents say that it is switched on, without a network."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol

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


def instrumentors(**classes: str) -> Callable[[], Neighbour]:
    """Package, with underscores → where its instrumentor is."""
    return lambda: Instrumentors({package.replace("_", "-"): path for package, path in classes.items()})


class Row(NamedTuple):
    """One neighbour in the table."""

    make: Callable[[], Neighbour]
    calls: str = "openai"
    """Whose client the application uses."""


OI: Final = "openinference.instrumentation"
OTEL: Final = "opentelemetry.instrumentation"

NEIGHBOURS: Final[Mapping[str, Row]] = {
    "openinference": Row(instrumentors(openinference_instrumentation_openai=f"{OI}.openai.OpenAIInstrumentor")),
    "openllmetry": Row(instrumentors(opentelemetry_instrumentation_openai=f"{OTEL}.openai.OpenAIInstrumentor")),
    "genai": Row(instrumentors(opentelemetry_instrumentation_genai_openai=f"{OTEL}.genai.openai.OpenAIInstrumentor")),
    "openai-v2": Row(instrumentors(opentelemetry_instrumentation_openai_v2=f"{OTEL}.openai_v2.OpenAIInstrumentor")),
    "http": Row(
        instrumentors(
            opentelemetry_instrumentation_httpx=f"{OTEL}.httpx.HTTPXClientInstrumentor",
            opentelemetry_instrumentation_requests=f"{OTEL}.requests.RequestsInstrumentor",
            opentelemetry_instrumentation_threading=f"{OTEL}.threading.ThreadingInstrumentor",
            opentelemetry_instrumentation_urllib=f"{OTEL}.urllib.URLLibInstrumentor",
            opentelemetry_instrumentation_urllib3=f"{OTEL}.urllib3.URLLib3Instrumentor",
        )
    ),
    "logfire": Row(Logfire),
    "langfuse": Row(Langfuse),
    "ddtrace": Row(Datadog),
    "sentry": Row(Sentry),
    "openinference-langchain": Row(
        instrumentors(
            openinference_instrumentation_langchain=f"{OI}.langchain.LangChainInstrumentor",
            openinference_instrumentation_openai=f"{OI}.openai.OpenAIInstrumentor",
        ),
        calls="langchain",
    ),
    "openinference-litellm": Row(
        instrumentors(
            openinference_instrumentation_litellm=f"{OI}.litellm.LiteLLMInstrumentor",
            openinference_instrumentation_openai=f"{OI}.openai.OpenAIInstrumentor",
        ),
        calls="litellm",
    ),
}
"""By the name that a session is given."""
