"""Reading the body of an HTTP request, whatever its framing and compression, within bounds."""

import zlib
from collections.abc import Mapping
from io import BufferedIOBase
from typing import Final

MAX_BODY_BYTES: Final = 64 * 1024 * 1024
"""Unpacked. Sixty times what the exporter puts into a request, and no danger to the machine."""

MAX_LINE_BYTES: Final = 4096
"""Of a chunk's size and of a trailer; real ones have a few dozen."""

MAX_TRAILERS: Final = 100


class Refusal(Exception):  # noqa: N818 - an answer to the client, not an error of ours
    """A body that is not read any further; the text says why, for the client."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def read_body(stream: BufferedIOBase, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
    """
    Read the body that follows *headers*.

    Args:
        stream: The connection, just behind the blank line.
        headers: By lower-case name.
        max_bytes: The most that the body may have, both as sent and unpacked.

    Returns:
        The body, unpacked.

    Raises:
        Refusal: It is too long (413), broken (400) or packed in a way that is not known here (415).
    """
    if headers.get("transfer-encoding", "").lower() == "chunked":
        sent = _read_chunks(stream, max_bytes)
    else:
        sent = _read_exactly(stream, _length(headers.get("content-length", "0"), 10), max_bytes)
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        return sent
    if encoding == "gzip":
        return gunzip(sent, max_bytes=max_bytes)
    raise Refusal(415, f"cannot read the content encoding {encoding!r}")


def _length(digits: str, base: int) -> int:
    # int() would take "+5", "-5", "0x5" and "1_000" as well.
    if not digits.isalnum():
        raise Refusal(400, "a length is not a number")
    try:
        return int(digits, base)
    except ValueError:
        raise Refusal(400, "a length is not a number") from None


def _read_exactly(stream: BufferedIOBase, length: int, max_bytes: int) -> bytes:
    if length > max_bytes:
        raise Refusal(413, f"the body is longer than {max_bytes} bytes")
    body = stream.read(length)
    if len(body) < length:
        raise Refusal(400, "the body ends early")
    return body


def _read_chunks(stream: BufferedIOBase, max_bytes: int) -> bytes:
    body = bytearray()
    while size := _length(_read_line(stream).partition(";")[0].strip(), 16):
        body += _read_exactly(stream, size, max_bytes - len(body))
        if _read_line(stream):
            raise Refusal(400, "a chunk is longer than it says")
    for _ in range(MAX_TRAILERS):
        if not _read_line(stream):
            return bytes(body)
    raise Refusal(400, "too many trailers")


def _read_line(stream: BufferedIOBase) -> str:
    line = stream.readline(MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise Refusal(400, "a chunk has no end")
    return line.rstrip(b"\r\n").decode("latin-1")


def gunzip(packed: bytes, *, max_bytes: int) -> bytes:
    """
    Unpack *packed*, and no more of it than is allowed.

    Args:
        packed: One member of gzip.
        max_bytes: The most that it may unpack to.

    Raises:
        Refusal: It unpacks to more (413), or is no whole member of gzip (400).
    """
    inflate = zlib.decompressobj(wbits=31)
    try:
        body = inflate.decompress(packed, max_bytes + 1)
    except zlib.error:
        raise Refusal(400, "the body is not gzip") from None
    if len(body) > max_bytes:
        raise Refusal(413, f"the body unpacks to more than {max_bytes} bytes")
    if not inflate.eof or inflate.unused_data:
        raise Refusal(400, "the body is not one whole gzip member")
    return body
