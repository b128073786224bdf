"""What is the same in every request: the headers and the compression."""

import gzip
from collections.abc import Mapping
from typing import Final

from .._config import Config
from .._version import __version__

GZIP_LEVEL: Final = 1
"""
Of prose it leaves 17 to 28 % and level 6, at three to eight times the CPU, 14 to 22 %: with that, packing costs as much
as all else that is done to send a record.
"""


def headers_of(config: Config, content_type: str, *, more: Mapping[str, str]) -> Mapping[str, str]:
    """
    All headers that do not belong to the connection; the user's own win over ours where names are equal.

    Args:
        config: Key, compression and the user's headers.
        content_type: Of the body.
        more: Headers of this request.
    """
    headers = {
        "Content-Type": content_type,
        **({"Authorization": f"Bearer {key}"} if (key := config.api_key.reveal()) else {}),
        "User-Agent": f"ramp-tracing/{__version__}",
        **more,
    }
    if config.compression is not None:
        headers["Content-Encoding"] = config.compression
    theirs = {name.lower() for name in config.headers}
    ours = {name: value for name, value in headers.items() if name.lower() not in theirs}
    return {**ours, **{name: value.reveal() for name, value in config.headers.items()}}


def compressed(body: bytes, config: Config) -> bytes:
    """*body* as it goes over the wire; the same body gives the same bytes each time."""
    return body if config.compression is None else gzip.compress(body, GZIP_LEVEL, mtime=0)
