"""The options: one row each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .._dataclass import dataclass
from ._address import read_url
from ._readers import (
    Reader,
    count,
    flag_from_text,
    json_object,
    number_from_text,
    one_of,
    parts_from_text,
    read_ca_file,
    read_client_id,
    read_directory,
    read_exporters,
    read_filter,
    read_flag,
    read_headers,
    read_key,
    read_key_hashes,
    read_providers,
    read_providers_to_leave_out,
    read_text,
    read_trace,
    seconds,
    share,
)

if TYPE_CHECKING:
    from ._prices import PriceTable

DEFAULT_BASE_URL: Final = "https://api.ramp.com/developer/v1/ai-usage/openrouter"

UNIFIED_URL: Final = "https://api.ramp.com/developer/v1/ai-usage/unified"
"""Where unified events go, unless the user names another address."""

NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


def read_prices(value: object) -> "PriceTable":
    """Prices of the user's own, as `_prices` reads them."""
    from ._prices import read_prices as read  # only who has some pays for it at set-up

    return read(value)


def _as_is(text: str) -> object:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """
    One row.

    Attributes:
        read: Checks a value and returns it as it is kept.
        default: What is kept when nothing was given.
        variable: The environment variable that may give it.
        from_text: Makes a value of that variable's text.
    """

    read: Reader
    default: object = None
    variable: str | None = None
    from_text: Callable[[str], object] = _as_is


OPTIONS: Final[Mapping[str, Option]] = MappingProxyType(
    {
        "api_key": Option(read=read_key, variable="RAMP_API_KEY"),
        "client_id": Option(read=read_client_id, variable="RAMP_CLIENT_ID"),
        "client_secret": Option(read=read_key, variable="RAMP_CLIENT_SECRET"),
        "token_url": Option(read=read_url, variable="RAMP_TOKEN_URL"),
        "base_url": Option(read=read_url, variable="RAMP_BASE_URL", default=DEFAULT_BASE_URL),
        "headers": Option(read=read_headers, variable="RAMP_HEADERS", from_text=json_object, default=NOTHING),
        "privacy_mode": Option(read=read_flag, variable="RAMP_PRIVACY_MODE", from_text=flag_from_text, default=False),
        "protocol": Option(
            read=one_of("http/json", "http/protobuf", "ramp/unified"),
            variable="RAMP_TRACING_PROTOCOL",
            default="http/json",
        ),
        "dialect": Option(read=one_of("openrouter", "semconv"), variable="RAMP_TRACING_DIALECT", default="openrouter"),
        "service_name": Option(read=read_text, variable="OTEL_SERVICE_NAME", default="ramp-tracing"),
        "service_version": Option(read=read_text),
        "stream_usage": Option(
            read=one_of("auto", "always", "never"), variable="RAMP_TRACING_STREAM_USAGE", default="auto"
        ),
        "spans": Option(read=one_of("named", "all"), variable="RAMP_TRACING_SPANS", default="named"),
        "trace": Option(read=read_trace, default=NOTHING),
        "providers": Option(read=read_providers, default=NOTHING),
        "prices": Option(read=read_prices, variable="RAMP_TRACING_PRICES"),
        "exclude_providers": Option(
            read=read_providers_to_leave_out,
            variable="RAMP_TRACING_EXCLUDE_PROVIDERS",
            from_text=parts_from_text,
            default=frozenset[str](),
        ),
        "allow_api_keys": Option(
            read=read_key_hashes, variable="RAMP_TRACING_ALLOW_API_KEYS", from_text=parts_from_text
        ),
        "filter": Option(read=read_filter),
        "sampling_rate": Option(
            read=share(may_be_zero=False),
            variable="RAMP_TRACING_SAMPLING_RATE",
            from_text=number_from_text,
            default=1.0,
        ),
        "content_sampling_rate": Option(
            read=share(may_be_zero=True),
            variable="RAMP_TRACING_CONTENT_SAMPLING_RATE",
            from_text=number_from_text,
            default=1.0,
        ),
        "timeout_seconds": Option(read=seconds(0.1, 300), default=10.0),
        "exit_timeout_seconds": Option(read=seconds(0, 300), default=2.0),
        "max_batch_spans": Option(read=count(1, 10_000), default=50),
        "max_batch_bytes": Option(read=count(1_024, 64 << 20), default=1 << 20),
        "compression": Option(read=one_of("gzip")),
        "state_dir": Option(read=read_directory, variable="RAMP_TRACING_STATE_DIR"),
        "allow_insecure": Option(read=read_flag, default=False),
        "ca_file": Option(read=read_ca_file, variable="RAMP_TRACING_CA_FILE"),
        "span_exporters": Option(read=read_exporters, default=()),
        "exporter_dialect": Option(read=one_of("semconv", "openrouter"), default="semconv"),
        "disabled": Option(read=read_flag, variable="RAMP_TRACING_DISABLED", from_text=flag_from_text, default=False),
    }
)
"""Every option by its name. A new one is a row here and a field of `Config`."""
