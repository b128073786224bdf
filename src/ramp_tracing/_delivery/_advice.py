"""What a person can do about an answer or a failure, in words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Cause = Literal[
    "certificate",
    "other_host",
    "out_of_date",
    "tls",
    "name",
    "timeout",
    "refused",
    "closed",
    "route",
    "not_http",
    "proxy",
    "network",
]
"""Why no answer came."""

KEY: Final = (
    "the key is wrong or lacks the scope ai_usage:write; check RAMP_API_KEY, or RAMP_CLIENT_ID and RAMP_CLIENT_SECRET; "
    "a key for the other of Ramp's two endpoints is found out by `ramp-tracing check`"
)
TOKEN: Final = (
    "check RAMP_CLIENT_ID, RAMP_CLIENT_SECRET and RAMP_TOKEN_URL, and that the client may ask for ai_usage:write"
)
REDIRECT: Final = (
    "it redirects, which is never followed because the key would go along; set RAMP_BASE_URL to the final address"
)
AFTERWARDS: Final = "with another key or address `ramp-tracing spool send --from` sends them"
"""They are kept for the key and the address that they were recorded under, and go to no other account by themselves."""

ADDRESS: Final = "check RAMP_BASE_URL: it is used exactly as given, nothing is appended"

BY_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "the receiver does not understand what was sent; check that RAMP_BASE_URL takes what `protocol` says",
        401: KEY,
        403: KEY,
        404: ADDRESS,
        405: ADDRESS,
        407: "the proxy wants credentials; put them into HTTPS_PROXY",
        413: "the receiver takes only smaller requests; lower max_batch_bytes",
        415: "the receiver wants another format; change `protocol`",
        422: "the receiver does not accept what was sent; check that RAMP_BASE_URL takes what `protocol` says",
        429: "there were too many requests; wait a little",
    }
)

BY_CLASS: Final[Mapping[int, str]] = MappingProxyType(
    {
        3: REDIRECT,
        4: "check RAMP_BASE_URL and RAMP_API_KEY",
        5: "the receiver has trouble of its own; try again later",
    }
)
"""First digit of a status that is not named above."""

BY_CAUSE: Final[Mapping[Cause, str]] = MappingProxyType(
    {
        "certificate": "its certificate is not trusted; if it is signed by a CA of your own, name that CA with ca_file "
        "or RAMP_TRACING_CA_FILE",
        "other_host": "its certificate is for another host; check the host in RAMP_BASE_URL, and who answers there",
        "out_of_date": "its certificate is not valid today; check this machine's clock, else who answers must renew it",
        "tls": "no encrypted connection came about; it must speak TLS 1.2 or newer, and https must be meant",
        "name": "its name cannot be resolved; check the host in RAMP_BASE_URL, and DNS",
        "timeout": "it did not answer in time; check network and firewall, or raise timeout_seconds",
        "refused": "nothing listens there; check host and port in RAMP_BASE_URL",
        "closed": "it closed the connection without an answer",
        "route": "there is no route to it; check network and VPN",
        "not_http": "what came back is not HTTP; check RAMP_BASE_URL",
        "proxy": "the proxy did not connect us; check HTTPS_PROXY (http://HOST:PORT) and NO_PROXY",
        "network": "the network failed",
    }
)


def advice_on(status: int) -> str:
    """What to do about an answer with this status; for those that are no success."""
    return BY_STATUS.get(status) or BY_CLASS.get(status // 100, ADDRESS)
