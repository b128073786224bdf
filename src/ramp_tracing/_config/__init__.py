"""
The configuration: arguments over environment over defaults, checked before anything is switched on.

Every wrong value raises `ConfigurationError` with what to change. No message quotes a value.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from .._dataclass import dataclass
from .._lazy import names_of
from ..exceptions import ConfigurationError
from ._address import is_ramps
from ._between import completed
from ._options import DEFAULT_BASE_URL, OPTIONS, UNIFIED_URL, Option
from ._readers import UnusableError
from ._secret import Secret

if TYPE_CHECKING:
    from ._prices import OTHER_RATES, TOKEN_RATES, Price, PriceTable

__all__ = [
    "DEFAULT_BASE_URL",
    "OTHER_RATES",
    "TOKEN_RATES",
    "UNIFIED_URL",
    "Config",
    "Dialect",
    "Price",
    "PriceTable",
    "Secret",
    "Spans",
    "StreamUsage",
    "WireProtocol",
    "resolve",
    "resolve_one",
]

__getattr__ = names_of(__name__, dict.fromkeys(("OTHER_RATES", "TOKEN_RATES", "Price", "PriceTable"), "_prices"))

WireProtocol = Literal["http/json", "http/protobuf", "ramp/unified"]
"""How records become bytes: as OTLP, in one of two encodings, or as Ramp's unified events."""

Dialect = Literal["openrouter", "semconv"]
"""How attributes are named."""

StreamUsage = Literal["auto", "always", "never"]
"""Whether a stream is asked for its usage: of servers known to give it, of all, of none."""

Spans = Literal["named", "all"]
"""Which spans are sent above a call: the levels that have names, or every run of LangChain's."""

NO_KEY: Final = Secret("")
"""The key of a configuration that is switched off, and of a backend that wants none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    What the user asked for, checked.

    Attributes:
        api_key: Sent as ``Authorization: Bearer``; empty where there is an OAuth client, or a backend without keys.
        client_id: The OAuth client that asks for tokens, or `None`.
        client_secret: Its secret.
        token_url: Where it asks.
        base_url: Where records are posted to, exactly as given.
        headers: Sent with every request.
        privacy_mode: True if no content may leave, nor be kept.
        protocol: How records become bytes.
        dialect: How attributes are named.
        service_name: The application, for people who look at its spans.
        service_version: Its version.
        stream_usage: Whether a stream is asked for its usage.
        spans: Which spans are sent above a call.
        trace: Attribution of every call that says nothing itself: ``user``, ``session_id``, the keys of ``trace``.
        providers: Provider names by ``host`` or ``host:port``, for gateways and private endpoints.
        prices: The user's own prices, or `None`.
        exclude_providers: Those whose calls are not sent, in lower case.
        allow_api_keys: SHA-256 hashes of the keys whose calls are sent; `None` for all keys.
        filter: The user's function that says which calls are sent, or `None`.
        sampling_rate: The share of sessions, or else traces or calls, that is sent.
        content_sampling_rate: The share of them that is sent with its content.
        timeout_seconds: How long one request may take, all in all.
        exit_timeout_seconds: How long the end of the process may be put off.
        max_batch_spans: Records in one request.
        max_batch_bytes: Bytes in one request, before compression; a longer record goes alone.
        compression: ``gzip``, or `None`.
        state_dir: The directory that records wait in; `None` for the system's own place for such things.
        allow_insecure: True if plain http to another machine is meant.
        ca_file: A PEM file with the certificates to trust instead of the system's.
        span_exporters: Exporters of the user's own, which get every span too.
        exporter_dialect: How attributes are named for these.
        disabled: True if nothing is to be recorded.
    """

    api_key: Secret
    client_id: str | None
    client_secret: Secret | None
    token_url: str | None
    base_url: str
    headers: Mapping[str, Secret]
    privacy_mode: bool
    protocol: WireProtocol
    dialect: Dialect
    service_name: str
    service_version: str | None
    stream_usage: StreamUsage
    spans: Spans
    trace: Mapping[str, object]
    providers: Mapping[str, str]
    prices: "PriceTable | None"
    exclude_providers: frozenset[str]
    allow_api_keys: frozenset[str] | None
    filter: Callable[..., object] | None
    sampling_rate: float
    content_sampling_rate: float
    timeout_seconds: float
    exit_timeout_seconds: float
    max_batch_spans: int
    max_batch_bytes: int
    compression: Literal["gzip"] | None
    state_dir: str | None
    allow_insecure: bool
    ca_file: str | None
    span_exporters: tuple[object, ...]
    exporter_dialect: Dialect
    disabled: bool

    @property
    def account(self) -> str:
        """What tells whose records they are; as secret as a key, because it may be one."""
        return self.api_key.reveal() or self.client_id or ""


def resolve(options: Mapping[str, object], environ: Mapping[str, str]) -> Config:
    """
    Make a configuration of what was given.

    A backend of the user's own (OpenTelemetry's dialect, and an address) may want no key. Where its address stands in
    the code, ``RAMP_API_KEY`` is not for it: that one is Ramp's, and would be told to somebody else. An address of
    Ramp's wants it in every dialect.

    Args:
        options: By name, as the user passed them; `None` is "not given".
        environ: The environment; an empty variable is "not given".

    Returns:
        The configuration.

    Raises:
        ConfigurationError: Something is missing, unknown or cannot be used.
    """
    _refuse_unknown(options)
    if _value("disabled", OPTIONS["disabled"], options=options, environ=environ):
        options, environ = {"disabled": True}, {}
    # Any, because a row's reader and the field of the same name are only known to agree by the tests.
    values: dict[str, Any] = {
        name: _value(name, row, options=options, environ=environ) for name, row in OPTIONS.items()
    }
    has_address = options.get("base_url") is not None or bool(environ.get("RAMP_BASE_URL"))
    is_backends = values["dialect"] == "semconv" and values["protocol"] != "ramp/unified"
    is_elsewhere = has_address and is_backends and not is_ramps(values["base_url"])
    if is_elsewhere and options.get("base_url") is not None:
        values["api_key"] = _value("api_key", OPTIONS["api_key"], options=options, environ={})
    values = completed(values, has_address=has_address)
    if values["api_key"] is None:
        needs_none = values["disabled"] or values["client_id"] is not None or is_elsewhere
        values["api_key"] = _without_key(needs_none=needs_none)
    return Config(**values)


def resolve_one(name: str, given: object, environ: Mapping[str, str]) -> object:
    """
    One option alone, for what needs no key.

    Raises:
        ConfigurationError: It cannot be used.
    """
    return _value(name, OPTIONS[name], options={name: given}, environ=environ)


def _refuse_unknown(options: Mapping[str, object]) -> None:
    for name in options:
        if name not in OPTIONS:
            import difflib  # only who has misspelt one pays for it

            near = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the options are {', '.join(OPTIONS)}"
            raise ConfigurationError(f"there is no option {name[:40]!r}; {hint}")


def _value(name: str, row: Option, *, options: Mapping[str, object], environ: Mapping[str, str]) -> object:
    """What is kept for one option; the error names the place that the value came from."""
    given = options.get(name)
    text = environ.get(row.variable, "") if row.variable else ""
    source = name if given is not None else row.variable
    try:
        if given is not None:
            return row.read(given)
        return row.read(row.from_text(text)) if text else row.default
    except UnusableError as wrong:
        raise ConfigurationError(f"{source} cannot be used: {wrong}") from None


def _without_key(*, needs_none: bool) -> Secret:
    if not needs_none:
        raise ConfigurationError(
            "there is no API key: set the environment variable RAMP_API_KEY, or pass api_key=…; "
            "it needs the scope ai_usage:write"
        )
    return NO_KEY
