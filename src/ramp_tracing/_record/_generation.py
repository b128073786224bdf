"""One billable model call."""

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Literal, NewType, final

from .._dataclass import dataclass
from ._attribution import NOBODY, Attribution, SpanParent
from ._cost import Cost
from ._drafts import changed
from ._usage import Usage

UnixNanos = NewType("UnixNanos", int)
"""An instant: nanoseconds since 1970-01-01T00:00:00Z."""

GenerationId = NewType("GenerationId", str)
"""The idempotency key of a call: fixed before the first send, the same on every retry, never used for another call."""

Role = Literal["call", "leaf", "step"]
"""
What a record is in its trace.

A call with the levels above it that have names; the leaf of a tree whose runs are records of their own; or a step: such
a run (a chain, a tool, a retriever), which has no usage and is no generation.
"""

NO_PARAMETERS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """
    When a call happened.

    Attributes:
        started: The request was handed to the client library.
        ended: The answer was complete, or the call failed.
        first_chunk: The first piece of a stream that carried an answer.
    """

    started: UnixNanos
    ended: UnixNanos
    first_chunk: UnixNanos | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """
    Why a call did not end well.

    Attributes:
        type: The exception's class name, or the provider's error type where an answer holds nothing but an error.
        message: The text; `None` in privacy mode, because a provider's message can quote the prompt.
        status_code: The HTTP status, where there was an answer.
        code: The provider's error code (``model_not_found``…).
    """

    type: str
    message: str | None = None
    status_code: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Content:
    """
    What was asked and answered. It stays in memory, and is made into text only when it is sent.

    Attributes:
        input: JSON-like, with the request's own names: ``{"messages": […]}``, ``{"input": …}``…
        output: JSON-like: ``{"completion": …, "reasoning": …, "toolCalls": […]}``.
        size_bytes: Roughly what it occupies, for the bound on memory.
    """

    input: object = None
    output: object = None
    size_bytes: int = 0

    def __repr__(self) -> str:
        """Names no content, so that a log line or a traceback cannot either."""
        return f"Content(size_bytes={self.size_bytes})"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """
    One billable model call, complete.

    Attributes:
        id: The idempotency key; everything a receiver could deduplicate on follows from it.
        operation: ``chat``, ``text_completion``, ``embeddings``… (OpenTelemetry's ``gen_ai.operation.name``).
        library: The client library that was called: ``openai``, ``litellm``, ``langchain``.
        timing: When.
        provider: Who was called (``openai``, ``openrouter``…), `None` for a host that nobody knows.
        upstream_provider: Who served it, where a router says so.
        server_address: Host name of the endpoint.
        server_port: Its port.
        request_model: The model that was asked for.
        response_model: The model that answered.
        response_id: The provider's id of the answer.
        finish_reasons: One per choice, as answered.
        native_finish_reason: What the upstream provider said, where a router translated it.
        service_tier: The tier that the answer says it was served in.
        inference_geo: Where in the world it was served, where the answer says so: ``global``, ``us``.
        streamed: Whether the answer came as a stream.
        parameters: Request parameters that are numbers: ``temperature``, ``top_p``, ``max_tokens``…
        retries: How often the client library tried again inside this call.
        usage: What was used.
        cost: What it cost; `None` while nobody knows.
        pending: True for a job whose usage is not known yet; the same id settles it later.
        job: True for paid work that goes on after its call, pending or settled; its id is the job's.
        failure: Why it failed; `None` when it did not.
        role: What it is in its trace.
        attribution: Who and what for.
        span_parent: The application's active OpenTelemetry span.
        content: What was asked and answered; `None` in privacy mode.
        content_lost: True if there was content and it is gone: its process died, memory was short, or the receiver
            would not take as much.
        api_key_hash: SHA-256 of the key that the call was made with, in hexadecimal digits. Only where `allow_api_keys`
            asks for it and the key could be seen; never sent.
    """

    id: GenerationId
    operation: str
    library: str
    timing: Timing
    provider: str | None = None
    upstream_provider: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    finish_reasons: tuple[str, ...] = ()
    native_finish_reason: str | None = None
    service_tier: str | None = None
    inference_geo: str | None = None
    streamed: bool = False
    parameters: Mapping[str, float] = field(default_factory=lambda: NO_PARAMETERS)
    retries: int | None = None
    usage: Usage = Usage()
    cost: Cost | None = None
    pending: bool = False
    job: bool = False
    failure: Failure | None = None
    role: Role = "call"
    attribution: Attribution = NOBODY
    span_parent: SpanParent | None = None
    content: Content | None = None
    content_lost: bool = False
    api_key_hash: str | None = None

    def without_content(self) -> "Generation":
        """The same call without what was asked and answered; it says so if there was something."""
        if self.content is None:
            return self
        return changed(self, content=None, content_lost=True)
