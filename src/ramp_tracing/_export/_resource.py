"""Who sends: the resource and the scope that all spans of one request share."""

from typing import Final

from .._version import __version__
from ._settings import ExportSettings
from ._values import sound_text

SCOPE_NAME: Final = "ramp_tracing"
SCOPE_VERSION: Final = __version__


def resource_attributes(settings: ExportSettings) -> dict[str, str]:
    """The resource; of OpenTelemetry's own variables (``OTEL_RESOURCE_ATTRIBUTES``…) it takes nothing."""
    attributes = {
        "service.name": settings.service_name,
        "service.version": settings.service_version,
        "telemetry.sdk.name": SCOPE_NAME,
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": SCOPE_VERSION,
    }
    return {key: sound_text(value) for key, value in attributes.items() if value}
