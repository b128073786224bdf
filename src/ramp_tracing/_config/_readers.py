"""
What makes a value usable, kind by kind.

A reader takes what was given and returns what is kept, or raises `UnusableError` with what to change. It never quotes
the value: what stands in the wrong place may well be a key.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, cast

from ._secret import Secret

Reader = Callable[[object], object]
"""Checks one value and returns it as it is kept. Raises `UnusableError`."""

# Patterns, compiled when they are first used: most programs give none of what these are for.
TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
"""A header's name, RFC 9110 section 5.6.2."""
VISIBLE: Final = r"[\x21-\x7e]+"
PRINTABLE: Final = r"[\x20-\x7e\t]*"
HASH: Final = r"[0-9a-f]{64}"
HOST: Final = r"(\[[0-9a-f:.]+\]|[0-9a-z._\-]+)(:\d{1,5})?"

FORBIDDEN_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "authorization": "it is made from api_key; leave it out",
        "idempotency-key": "it is made for each request; leave it out",
        "x-test-connection": "it would keep every call out of the usage; leave it out",
        "content-type": "it follows from `protocol`; leave it out",
        "content-encoding": "it follows from `compression`; leave it out",
        **dict.fromkeys(
            ("host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect", "te", "upgrade"),
            "it belongs to the connection; leave it out",
        ),
    }
)
"""Header names that a user cannot set, with the reason."""

BOOLEANS: Final[Mapping[str, bool]] = MappingProxyType(
    {
        **dict.fromkeys(("1", "true", "yes", "on"), True),
        **dict.fromkeys(("0", "false", "no", "off"), False),
    }
)


class UnusableError(Exception):
    """A value cannot be used; the text says what to change, and does not quote it."""


def read_key(value: object) -> Secret:
    """An API key: visible ASCII, because anything else cannot stand in a header."""
    text = value.reveal() if isinstance(value, Secret) else read_text(value)
    if text.lower().startswith("bearer "):
        raise UnusableError('give the key alone, without "Bearer"')
    if not re.fullmatch(VISIBLE, text):
        raise UnusableError("it holds a space, a line break or another character that no key has; copy the key again")
    return Secret(text)


def read_client_id(value: object) -> str:
    """The name of an OAuth client: no secret, and no colon, which would end it in the header that carries it."""
    text = read_text(value)
    if not re.fullmatch(VISIBLE, text) or ":" in text:
        raise UnusableError("it holds a space, a colon or another character that no client id has; copy it again")
    return text


def read_text(value: object) -> str:
    """Text that is not empty and holds no control characters."""
    if not isinstance(value, str) or not value.strip():
        raise UnusableError("give a text that is not empty")
    if not value.isprintable():
        raise UnusableError("it holds a line break or another control character; take it out")
    return value


def read_flag(value: object) -> bool:
    """A bool, and nothing that only looks like one."""
    if not isinstance(value, bool):
        raise UnusableError("give True or False")
    return value


def flag_from_text(text: str) -> bool:
    """A bool as environments spell it."""
    try:
        return BOOLEANS[text.strip().lower()]
    except KeyError:
        raise UnusableError("use one of 1, true, yes, on, or one of 0, false, no, off") from None


def one_of(*allowed: str) -> Reader:
    """A reader of exactly these texts."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise UnusableError(f"use one of {', '.join(allowed)}")
        return value

    return read


def seconds(minimum: float, maximum: float) -> Reader:
    """A reader of durations between two bounds, which are allowed themselves."""

    def read(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise UnusableError(f"give a number of seconds from {minimum:g} to {maximum:g}")
        return float(value)

    return read


def count(minimum: int, maximum: int) -> Reader:
    """A reader of whole numbers between two bounds, which are allowed themselves."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise UnusableError(f"give a whole number from {minimum} to {maximum}")
        return value

    return read


def json_object(text: str) -> object:
    """An object from JSON, as an environment variable holds it."""
    import json  # only who has such a variable pays for it at set-up

    try:
        return json.loads(text)
    except ValueError:
        raise UnusableError('it is not JSON; write an object of texts: {"X-Team": "search"}') from None


def _pairs(value: object, *, example: str) -> Mapping[object, object]:
    """*value* as a mapping of anything to anything."""
    if not isinstance(value, Mapping):
        raise UnusableError(f"give a mapping such as {example}")
    return cast("Mapping[object, object]", value)


def read_headers(value: object) -> Mapping[str, Secret]:
    """Headers for every request. Their values are kept as secrets, because many are."""
    kept: dict[str, Secret] = {}
    for name, text in _pairs(value, example='{"X-Team": "search"}').items():
        kept[_header_name(name, taken=kept)] = _header_value(name, text)
    return MappingProxyType(kept)


def _header_name(name: object, *, taken: Iterable[str]) -> str:
    if not isinstance(name, str) or not re.fullmatch(TOKEN, name):
        raise UnusableError("a header's name is not a token; use letters, digits and hyphens")
    if name.lower() in FORBIDDEN_HEADERS:
        raise UnusableError(f"{name} cannot be set: {FORBIDDEN_HEADERS[name.lower()]}")
    if name.lower() in {each.lower() for each in taken}:
        raise UnusableError(f"{name} is given twice; header names do not differ by case")
    return name


def _header_value(name: object, text: object) -> Secret:
    if isinstance(text, Secret):
        return text
    if not isinstance(text, str):
        raise UnusableError(f"the value of {name} is not a text; put it in quotation marks")
    if not re.fullmatch(PRINTABLE, text):
        raise UnusableError(f"the value of {name} holds a line break or a character outside ASCII; take it out")
    return Secret(text)


def read_trace(value: object) -> Mapping[str, object]:
    """Attribution for every call, by key."""
    kept: dict[str, object] = {}
    for key, each in _pairs(value, example='{"department": "finance"}').items():
        if not isinstance(key, str):
            raise UnusableError("its keys must be texts")
        kept[key] = each
    return MappingProxyType(kept)


def read_providers(value: object) -> Mapping[str, str]:
    """Provider names by ``host`` or ``host:port``, in lower case."""
    kept: dict[str, str] = {}
    for host, provider in _pairs(value, example='{"llm.example.com": "openai"}').items():
        if not isinstance(host, str) or not re.fullmatch(HOST, host.lower()):
            raise UnusableError('each key is a host or host:port, without scheme and path: "llm.example.com:8443"')
        if not isinstance(provider, str) or not provider.strip():
            raise UnusableError(f"the provider of {host} is not a text")
        kept[host.lower()] = provider
    return MappingProxyType(kept)


def read_ca_file(value: object) -> str:
    """The path of a file with certificates that the receiver's may be signed by; it is loaded once to be sure."""
    if not isinstance(value, str | os.PathLike):
        raise UnusableError("give the path of a PEM file")
    import ssl  # only who has such a file pays for it at set-up

    path = os.fsdecode(cast("str | os.PathLike[str]", value))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except (OSError, ValueError):
        raise UnusableError("the file cannot be read, or holds no certificate in PEM form") from None
    return path


def read_directory(value: object) -> str:
    """The path of a directory, absolute from here on: the application may change its own later."""
    if not isinstance(value, str | os.PathLike):
        raise UnusableError("give the path of a directory")
    path = os.fsdecode(cast("str | os.PathLike[str]", value))
    if not path.strip() or "\0" in path:
        raise UnusableError("give the path of a directory")
    try:
        return os.path.abspath(os.path.expanduser(path))
    except OSError:
        raise UnusableError("it is no absolute path, and the working directory is gone; begin it with /") from None


def parts_from_text(text: str) -> object:
    """What commas separate, as an environment variable holds it."""
    return tuple(part for each in text.split(",") if (part := each.strip()))


def read_providers_to_leave_out(value: object) -> frozenset[str]:
    """Names of providers, in lower case."""
    names = _texts(value, example='("openrouter",)')
    if not all(name.strip() for name in names):
        raise UnusableError("each of them is the name of a provider, as the records have it: openai, openrouter")
    return frozenset(name.strip().lower() for name in names)


def read_key_hashes(value: object) -> frozenset[str]:
    """SHA-256 hashes of keys; a key itself is refused, which has no business here."""
    hashes = _texts(value, example="a tuple of SHA-256 hashes")
    if not hashes:
        raise UnusableError("no key is in it, so no call would be reported; leave it out to allow every key")
    if not all(re.fullmatch(HASH, each.lower()) for each in hashes):
        raise UnusableError("give the SHA-256 hash of each key, 64 hexadecimal digits, and never a key itself")
    return frozenset(each.lower() for each in hashes)


def _texts(value: object, *, example: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise UnusableError(f"give a list or tuple of texts, such as {example}")
    texts = tuple(cast("Iterable[object]", value))
    if not all(isinstance(each, str) for each in texts):
        raise UnusableError("each of them must be a text")
    return cast("tuple[str, ...]", texts)


def read_filter(value: object) -> Callable[..., object]:
    """A function of the user's."""
    if not callable(value):
        raise UnusableError("give a function that takes a generation and returns True for those that are to be sent")
    return value


def share(*, may_be_zero: bool) -> Reader:
    """A reader of shares, from nothing, if that is allowed, to 1, which is all."""

    def read(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise UnusableError("give a share from 0 to 1")
        if not value and not may_be_zero:
            raise UnusableError("nothing would be reported at all; if that is meant, use `disabled`")
        return float(value)

    return read


def number_from_text(text: str) -> object:
    """A number as an environment variable holds it."""
    try:
        return float(text)
    except ValueError:
        raise UnusableError("it is no number; write it as 0.25") from None


def read_exporters(value: object) -> tuple[object, ...]:
    """Further span exporters of the user's."""
    if not isinstance(value, list | tuple):
        raise UnusableError("give a list or tuple of span exporters")
    exporters = tuple(cast("Iterable[object]", value))
    if not all(callable(getattr(each, "export", None)) for each in exporters):
        raise UnusableError("each of them needs the methods of an OpenTelemetry SpanExporter")
    return exporters
