"""What options mean for one another: which of them exclude or need each other, and defaults that depend on others."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from ..exceptions import ConfigurationError
from ._address import check_encrypted
from ._options import UNIFIED_URL
from ._readers import UnusableError

UNIFIED: Final = "ramp/unified"

MAX_EVENTS: Final = 50
"""Ramp takes no more events in one request."""

TOKEN_PATH: Final = "/developer/v1/token"


def completed(values: Mapping[str, Any], *, has_address: bool) -> dict[str, Any]:
    """
    The values with what follows from others.

    Args:
        values: By option, each by itself as it was checked.
        has_address: Whether somebody gave ``base_url``.

    Raises:
        ConfigurationError: They do not go together.
    """
    complete = dict(values)
    if values["protocol"] == UNIFIED:
        if values["max_batch_spans"] > MAX_EVENTS:
            raise ConfigurationError(f"max_batch_spans cannot be used: ramp/unified takes at most {MAX_EVENTS} events")
        if not has_address:
            complete["base_url"] = UNIFIED_URL
    _check_credentials(values)
    if values["client_id"] is not None and values["token_url"] is None:
        complete["token_url"] = _token_url_beside(complete["base_url"])
    for name in ("base_url", "token_url"):
        _check_address(name, complete)
    return complete


def _check_credentials(values: Mapping[str, Any]) -> None:
    given = [name for name in ("client_id", "client_secret") if values[name] is not None]
    if not given:
        return
    if len(given) == 1:
        missing = "client_secret" if given == ["client_id"] else "client_id"
        raise ConfigurationError(f"there is no {missing}: give client_id and client_secret together, or api_key alone")
    if values["api_key"] is not None:
        raise ConfigurationError(
            "there are an API key and an OAuth client: give api_key (RAMP_API_KEY), or client_id and client_secret "
            "(RAMP_CLIENT_ID, RAMP_CLIENT_SECRET), not both"
        )
    if values["protocol"] != UNIFIED:
        raise ConfigurationError('client_id cannot be used: OAuth clients are for protocol="ramp/unified" only')


def _token_url_beside(base_url: str) -> str:
    """Of the same host, so that the secret goes where the records go."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{TOKEN_PATH}"


def _check_address(name: str, values: Mapping[str, Any]) -> None:
    if values[name] is None:
        return
    try:
        check_encrypted(values[name], allow_insecure=values["allow_insecure"])
    except UnusableError as wrong:
        raise ConfigurationError(f"{name} cannot be used: {wrong}") from None
