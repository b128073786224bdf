"""The options of a request that are sent in place of the application's, which stay as they are."""

from collections.abc import Mapping
from typing import Any, Final

from .._normalizers import as_fields
from ._asking import body_of, packed_in

RAW_RESPONSE_HEADER: Final = "X-Stainless-Raw-Response"
"""How ``with_raw_response`` and ``with_streaming_response`` mark their requests."""


class AskedByUs(dict[str, object]):
    """What a stream is asked for by us; still known as such in a body that somebody has made of ours."""


def leaves_usage_to_us(options: Any, body: Mapping[str, object]) -> bool:
    """
    Whether a stream may be asked for its usage, as far as its request goes.

    Never where the application reads or sends raw bytes, and never where it has made a choice itself.
    """
    if body.get("stream") is not True or "include_usage" in as_fields(body.get("stream_options")):
        return False
    return RAW_RESPONSE_HEADER not in as_fields(options.headers) and packed_in(options) is None


def asking_for_usage(options: Any) -> Any:
    """A copy that asks a stream for its usage."""
    copy = _copied(options)
    asked = AskedByUs({**as_fields(body_of(options).get("stream_options")), "include_usage": True})
    # What is in extra_json goes over the rest.
    part = "extra_json" if "stream_options" in as_fields(options.extra_json) else "json_data"
    setattr(copy, part, {**as_fields(getattr(options, part)), "stream_options": asked})
    return copy


def named(options: Any, client: Any) -> Any:
    """A copy with a name of its own, as the client gives each request that has none before it is sent."""
    if options.idempotency_key is not None:
        return options
    copy = _copied(options)
    copy.idempotency_key = client._idempotency_key()
    return copy


def _copied(options: Any) -> Any:
    return options.model_copy() if hasattr(options, "model_copy") else options.copy()  # pydantic 2, 1
