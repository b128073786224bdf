"""What the export is told, once."""

from typing import Literal

from .._dataclass import dataclass

WireProtocol = Literal["http/json", "http/protobuf", "ramp/unified"]
"""How records become bytes: OTLP as JSON, which Ramp reads, or as protobuf, for collectors; or Ramp's own events."""

Dialect = Literal["openrouter", "semconv"]
"""How attributes are named: as OpenRouter's Broadcast does, or as OpenTelemetry's GenAI conventions do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """
    Settings of the export.

    Attributes:
        service_name: The resource's ``service.name``.
        service_version: The resource's ``service.version``.
        protocol: How records become bytes.
        dialect: How attributes are named.
        published_dialect: How attributes are named for the user's own exporters; `None` where there are none.
        privacy_mode: True if neither content nor the text of failures may leave, whatever a record carries.
    """

    service_name: str = "ramp-tracing"
    service_version: str | None = None
    protocol: WireProtocol = "http/json"
    dialect: Dialect = "openrouter"
    published_dialect: Dialect | None = None
    privacy_mode: bool = False
