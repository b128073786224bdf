"""What a record goes through between the journal and the wire. Loading it is the dear part, so the drainer does it."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from .._config import Config
from .._dataclass import dataclass
from .._record import Generation

if TYPE_CHECKING:
    from .._export import ExportSettings, RequestEncoder, SpanPublisher


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """
    Attributes:
        price: Adds the cost where it is known. Never raises.
        encoder: Makes bytes.
        publisher: Gives the spans to the user's own exporters.
    """

    price: Callable[[Generation], Generation]
    encoder: "RequestEncoder"
    publisher: "SpanPublisher"


def load_stages(config: Config) -> Stages:
    """
    The stages as *config* wants them.

    Imports price data, orjson and perhaps protobuf: some tenths of a second, on the thread that calls this.
    """
    from .._export import SpanPublisher
    from .._pricing import Offers, priced

    settings = export_settings(config)
    # Any: their type is OpenTelemetry's, which is not known here; that they can export was checked.
    exporters = cast("tuple[Any, ...]", config.span_exporters)
    return Stages(
        price=partial(priced, own=config.prices, offers=Offers()),
        encoder=encoder_of(config),
        publisher=SpanPublisher(exporters, settings),
    )


def encoder_of(config: Config) -> "RequestEncoder":
    """What makes bytes of records in the protocol that *config* names."""
    from .._export import Encoder, UnifiedEncoder

    settings = export_settings(config)
    if settings.protocol == "ramp/unified":
        return UnifiedEncoder(settings)
    return Encoder(settings)


def export_settings(config: Config) -> "ExportSettings":
    """The part of *config* that the export is told."""
    from .._export import ExportSettings

    return ExportSettings(
        service_name=config.service_name,
        service_version=config.service_version,
        protocol=config.protocol,
        dialect=config.dialect,
        published_dialect=config.exporter_dialect if config.span_exporters else None,
        privacy_mode=config.privacy_mode,
    )
