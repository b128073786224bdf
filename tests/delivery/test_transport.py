import errno
import gzip
import os
import socket
import ssl
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from ramp_tracing._delivery._answers import Answer
from ramp_tracing._delivery._exchange import host_header
from ramp_tracing._delivery._failures import UnreachableError
from ramp_tracing._delivery._request import headers_of
from ramp_tracing._delivery._transport import MAX_ANSWER_BYTES, Transport, _tls_context

from .receiver import Behaviour, Exchange, Receiver, answer, endless, hang, raw, wait_until
from .records import KEY, config_for

BODY = b'{"resourceSpans":[]}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def post(url: str, *, seconds: float = 30.0, **options: object) -> Answer:
    """One request over a connection of its own."""
    transport = Transport(config_for(url, **options))
    try:
        return send(transport, url, seconds=seconds, **options)
    finally:
        transport.close()


def send(transport: Transport, url: str, *, seconds: float = 30.0, **options: object) -> Answer:
    headers = headers_of(config_for(url, **options), "application/json", more={"Idempotency-Key": "key"})
    return transport.post(BODY, headers, timeout_seconds=seconds)


def failure(url: str, *, seconds: float = 30.0, **options: object) -> UnreachableError:
    with pytest.raises(UnreachableError) as caught:
        post(url, seconds=seconds, **options)
    return caught.value


def test_the_request_is_what_the_wire_wants() -> None:
    """The address as configured, the key as a bearer token, the user's headers, and nothing that nobody asked for."""
    with Receiver.which(answer(200)) as receiver:
        post(receiver.url, headers={"X-Team": "search"})
    (request,) = receiver.requests
    assert request.line == "POST /ai-usage?x=1 HTTP/1.1"
    assert request.body == BODY
    assert set(request.headers) == {
        "host",
        "accept-encoding",
        "content-length",
        "content-type",
        "authorization",
        "user-agent",
        "idempotency-key",
        "x-team",
    }
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("ramp-tracing/")


def test_the_users_header_replaces_ours() -> None:
    """Whatever its case; it is not sent twice."""
    with Receiver.which(answer(200)) as receiver:
        post(receiver.url, headers={"user-AGENT": "shop/1"})
    assert receiver.requests[0].head.lower().count(b"user-agent") == 1
    assert receiver.requests[0].headers["user-agent"] == "shop/1"


HOSTILE = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9/elsewhere",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/elsewhere",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer other,x-other=1",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-other=2",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "0",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such/file",
    "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,x=y",
    "OTEL_SDK_DISABLED": "true",
    "OTEL_TRACES_SAMPLER": "always_off",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "1",
    "REQUESTS_CA_BUNDLE": "/no/such/file",
    "CURL_CA_BUNDLE": "/no/such/file",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "SSLKEYLOGFILE": "/no/such/folder/keys",
}


def test_a_hostile_environment_changes_no_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that mean other tools do not mean us."""
    with Receiver.which(answer(200)) as receiver:
        post(receiver.url)
        for name, value in HOSTILE.items():
            monkeypatch.setenv(name, value)
        post(receiver.url)
    before, after = receiver.requests
    assert (before.head, before.body) == (after.head, after.body)


def test_a_connection_serves_many_requests() -> None:
    """As long as both sides want it."""
    with Receiver.which(answer(200)) as receiver:
        transport = Transport(config_for(receiver.url))
        for _ in range(3):
            send(transport, receiver.url)
        transport.close()
    assert receiver.connections == 1


def test_a_connection_that_was_idle_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its other end may have been closed this moment, and the answer would be lost."""
    monkeypatch.setattr("ramp_tracing._delivery._transport.MAX_IDLE_SECONDS", 0.05)
    with Receiver.which(answer(200)) as receiver:
        transport = Transport(config_for(receiver.url))
        send(transport, receiver.url)
        left = transport.idle_seconds_left()
        assert left is not None
        assert left <= 0.05
        time.sleep(0.06)
        send(transport, receiver.url)
        transport.close()
        assert transport.idle_seconds_left() is None
    assert receiver.connections == 2


def test_a_connection_that_the_receiver_closed_is_not_used_again() -> None:
    """Although it announced nothing."""
    with Receiver.which(raw(OK), answer(200)) as receiver:
        transport = Transport(config_for(receiver.url))
        assert send(transport, receiver.url).status == 200
        wait_until(lambda: receiver._open[0].fileno() == -1)
        assert send(transport, receiver.url).status == 200
        transport.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """The key would go along."""
    with Receiver.which(answer(200)) as other, Receiver.which(answer(status, Location=other.url)) as receiver:
        assert post(receiver.url).status == status
    assert other.requests == []


def test_only_the_beginning_of_an_answer_is_read() -> None:
    """An endless one costs 64 KiB."""
    with Receiver.which(endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536)) as receiver:
        got = post(receiver.url)
    assert (got.status, len(got.body)) == (200, MAX_ANSWER_BYTES)


def test_a_compressed_answer_is_not_unpacked() -> None:
    """It could be a gigabyte."""
    bomb = gzip.compress(bytes(50 << 20))
    with Receiver.which(answer(200, bomb, Content_Encoding="gzip")) as receiver:
        assert post(receiver.url) == Answer(status=200, headers=post(receiver.url).headers, body=b"")


def test_an_answer_whose_body_breaks_off_is_an_answer() -> None:
    """The receiver said 200: sending again would only double."""
    with Receiver.which(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")) as receiver:
        assert post(receiver.url).status == 200


def test_an_answer_whose_body_never_ends_is_an_answer() -> None:
    """At the deadline."""
    with Receiver.which(endless(b"HTTP/1.1 200 OK\r\n\r\n", b" ", every_seconds=0.05)) as receiver:
        started = time.monotonic()
        assert post(receiver.url, seconds=2).status == 200
    assert time.monotonic() - started < 20


def silent(exchange: Exchange) -> None:
    exchange.socket.sendall(b"HTTP/1.1 200 OK\r\nX-Trace-Id: ")
    hang(exchange)


@pytest.mark.parametrize(
    "behave",
    [
        hang,
        silent,
        endless(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x", every_seconds=0.05),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", every_seconds=0.05),
    ],
    ids=["hangs", "stops in a header", "drips header bytes", "continues for ever"],
)
def test_the_deadline_holds_against(behave: Behaviour) -> None:
    """A receiver that keeps us waiting byte by byte."""
    with Receiver.which(behave) as receiver:
        started = time.monotonic()
        error = failure(receiver.url, seconds=0.3)
        assert time.monotonic() - started < 20
    assert error.cause == "timeout"


def test_the_deadline_holds_against_a_receiver_that_does_not_read() -> None:
    """More than the buffers of both sides is to be sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        transport = Transport(config_for(url))
        started = time.monotonic()
        with pytest.raises(UnreachableError) as caught:
            transport.post(bytes(64 << 20), {}, timeout_seconds=0.3)
        assert time.monotonic() - started < 20
        assert caught.value.cause == "timeout"
    finally:
        listener.close()


@pytest.mark.parametrize(
    "junk",
    [
        b"\x00\xff\xfe not http at all\r\n\r\n",
        b"HTTP/1.1 abc Whatever\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_what_is_not_http_is_no_answer(junk: bytes) -> None:
    """Nor is a header without end."""
    with Receiver.which(raw(junk)) as receiver:
        assert failure(receiver.url).cause == "not_http"


def test_an_interim_answer_is_not_the_answer() -> None:
    """What comes behind it is the answer to this request, and never to the next one."""
    interim = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    final = b"HTTP/1.1 %d Final\r\nContent-Length: 2\r\n\r\n{}"
    statuses = iter((200, 503))

    def behave(exchange: Exchange) -> None:
        exchange.socket.sendall(interim + final % next(statuses))

    with Receiver.which(behave) as receiver:
        transport = Transport(config_for(receiver.url))
        assert [200, 503] == [send(transport, receiver.url).status for _ in range(2)]
        assert receiver.connections == 1
        transport.close()


def test_a_connection_closed_without_an_answer_is_no_answer() -> None:
    """With its own words."""
    with Receiver.which(raw()) as receiver:
        assert failure(receiver.url).cause == "closed"


@pytest.mark.parametrize(
    ("host", "port", "value"),
    [
        ("api.ramp.com", 443, "api.ramp.com"),
        ("api.ramp.com", 8443, "api.ramp.com:8443"),
        ("::1", 443, "[::1]"),
        ("fe80::1%eth0", 8443, "[fe80::1]:8443"),
    ],
)
def test_the_host_is_named_as_in_an_address(host: str, port: int, value: str) -> None:
    """With its port where that is not the usual one; a zone is nobody else's business."""
    assert value == host_header(host, port, 443)


def test_a_header_cannot_end_a_line() -> None:
    """Not even one that came past what checks them."""
    with Receiver.which(answer(200)) as receiver, pytest.raises(UnreachableError):
        Transport(config_for(receiver.url)).post(b"{}", {"X-Team": "a\r\nX-Other: b"}, timeout_seconds=5)
    assert [] == receiver.requests


def test_nothing_listens() -> None:
    """With its own words."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    error = failure(url)
    assert (error.cause, str(error)) == ("refused", "nothing listens there; check host and port in RAMP_BASE_URL")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "route"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "route"),
        (OSError(errno.EMFILE, "Too many open files"), "network"),
        (BrokenPipeError(), "closed"),
    ],
)
def test_what_needs_a_network_to_go_wrong(error: OSError, cause: str) -> None:
    """Each with its own words."""
    assert UnreachableError(error).cause == cause


@pytest.fixture
def silent() -> Iterator[int]:
    """A port of 127.0.0.1 whose queue is full: whoever connects waits for ever."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


NO_FAMILY = 60
"""No system has such sockets, as some have none for IPv6."""


@pytest.mark.parametrize("first", ["has no way", "is of no family", "refuses"])
def test_the_next_address_of_a_host_is_tried(first: str, silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a host has several, one that cannot be reached keeps nothing from the others."""
    with Receiver.which(answer(200)) as receiver, socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        own = socket.getaddrinfo("127.0.0.1", urlsplit(receiver.url).port, type=socket.SOCK_STREAM)
        family = NO_FAMILY if first == "is of no family" else socket.AF_INET
        port = silent if first == "has no way" else unheard.getsockname()[1]
        found = [(family, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)), *own]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert 200 == post(receiver.url.replace("127.0.0.1", "localhost"), seconds=3.0).status


def test_no_address_of_a_host_can_be_reached(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them together have one deadline."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", silent))] * 3
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert "timeout" == failure(f"http://localhost:{silent}/", seconds=0.6).cause


def test_a_name_that_cannot_be_one() -> None:
    """The look-up refuses it without asking anyone."""
    assert failure("https://ramp..example/").cause == "name"


def test_after_a_failure_the_next_request_has_a_new_connection() -> None:
    """The old one may still bring the answer to something else."""
    with Receiver.which(hang, answer(200)) as receiver:
        transport = Transport(config_for(receiver.url))
        with pytest.raises(UnreachableError):
            send(transport, receiver.url, seconds=0.1)
        assert send(transport, receiver.url).status == 200
        transport.close()


def test_an_error_shows_neither_key_nor_answer() -> None:
    """Not even in a traceback that prints the locals of its frames."""
    with Receiver.which(raw(b"junk " + KEY.encode() + b"\r\n\r\n")) as receiver:
        error = failure(receiver.url)
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert f"Bearer {KEY}" not in str(error) + repr(error)
    assert error.__context__ is None or error.__suppress_context__
    assert "junk" not in shown


def test_a_key_that_the_receiver_repeats_is_taken_out() -> None:
    """Some quote the request in their errors."""
    with Receiver.which(answer(401, f"bad key {KEY}!".encode(), X_Trace_Id=f"t-{KEY}")) as receiver:
        got = post(receiver.url)
    assert (got.said, got.trace_id) == ("bad key [key]!", "t-[key]")


# -- TLS


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def server_side(
    ca: trustme.CA, *names: str, configure: Callable[[ssl.SSLContext], None] | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    if configure is not None:
        configure(context)
    return context


def test_a_certificate_of_an_unknown_ca_is_refused(ca: trustme.CA) -> None:
    """The error names the option that would trust it."""
    with Receiver.which(answer(200), tls=server_side(ca, "127.0.0.1")) as receiver:
        error = failure(receiver.url)
        assert receiver.requests == []
    assert error.cause == "certificate"
    assert "name that CA with ca_file" in str(error)


def test_a_ca_file_is_trusted(ca: trustme.CA) -> None:
    """It stands in for the system's certificates."""
    with Receiver.which(answer(200), tls=server_side(ca, "127.0.0.1")) as receiver, ca.cert_pem.tempfile() as path:
        assert post(receiver.url, ca_file=path).status == 200


@pytest.mark.parametrize("system", ["has none", "has a file", "has a directory", "has directories"])
def test_a_python_that_does_not_find_the_systems_certificates(
    system: str, ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It trusts whom client libraries trust; where the system has any, nobody else."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "file.pem"))
    others = os.pathsep + str(tmp_path / "nowhere") if system == "has directories" else ""
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path}{others}")
    name = {"has none": "other", "has a file": "file.pem"}.get(system, "0a1b2c3d.0")
    ca.cert_pem.write_to_path(tmp_path / name)
    known = len(_tls_context(None).get_ca_certs())
    if system == "has none":
        assert known > 10
    else:
        assert known == (system == "has a file")  # a directory is not read before it is needed


def test_a_certificate_for_another_host_is_refused(ca: trustme.CA) -> None:
    """Although its CA is trusted; whoever reads why is not sent to look for a CA."""
    with Receiver.which(answer(200), tls=server_side(ca, "ramp.example")) as receiver, ca.cert_pem.tempfile() as path:
        error = failure(receiver.url, ca_file=path)
    assert (error.cause, "check the host in RAMP_BASE_URL" in str(error)) == ("other_host", True)


@pytest.mark.parametrize("days", [-1, 1], ids=["expired", "not yet valid"])
def test_a_certificate_out_of_date_is_refused(days: int, ca: trustme.CA) -> None:
    """The error names this machine's clock, which may be what is wrong."""
    when = datetime.now(UTC) + timedelta(days=days)
    leaf = ca.issue_cert("127.0.0.1", not_before=when - timedelta(hours=1), not_after=when + timedelta(hours=1))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(serving)
    with Receiver.which(answer(200), tls=serving) as receiver, ca.cert_pem.tempfile() as path:
        error = failure(receiver.url, ca_file=path)
    assert (error.cause, "check this machine's clock" in str(error)) == ("out_of_date", True)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_tls_older_than_1_2_is_refused(ca: trustme.CA) -> None:
    """A receiver that speaks only that gets nothing."""

    def only_old(context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    tls = server_side(ca, "127.0.0.1", configure=only_old)
    with Receiver.which(answer(200), tls=tls) as receiver, ca.cert_pem.tempfile() as path:
        assert failure(receiver.url, ca_file=path).cause in {"tls", "closed"}


def test_https_to_a_receiver_without_tls_is_refused() -> None:
    """Nothing of the request is shown to it."""
    with Receiver.which(answer(200)) as receiver:
        error = failure(receiver.url.replace("http:", "https:"), seconds=0.5)
    assert error.cause in {"tls", "timeout", "closed"}
    assert receiver.requests == []


# -- the proxy


def tunnel(exchange: Exchange) -> None:
    """Connect through to the port that was asked for, as a proxy does."""
    port = int(exchange.request.line.split()[1].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as onward:
        exchange.socket.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        sides = {exchange.socket: onward, onward: exchange.socket}
        for side in sides:
            side.settimeout(0.01)
        while not exchange.closing.is_set():
            for side, other in sides.items():
                try:
                    piece = side.recv(65536)
                except TimeoutError:
                    continue
                if not piece:
                    raise ConnectionError
                other.sendall(piece)


def test_https_goes_through_the_proxy_of_the_environment(ca: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which sees where to, and neither key nor records."""
    with (
        Receiver.which(answer(200), tls=server_side(ca, "localhost")) as receiver,
        Receiver.which(tunnel) as proxy,
        ca.cert_pem.tempfile() as path,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass%20word@127.0.0.1:{proxy.port}")
        url = receiver.url.replace("127.0.0.1", "localhost")
        assert post(url, ca_file=path).status == 200
        (request,) = proxy.requests
        assert request.line == f"CONNECT localhost:{receiver.port} HTTP/1.1"
        assert request.headers["host"] == f"localhost:{receiver.port}"
        assert request.headers["proxy-authorization"] == "Basic bWU6cGFzcyB3b3Jk"
        assert KEY.encode() not in request.head
        for exception in ("localhost", f"other.example, localhost:{receiver.port}"):
            monkeypatch.setenv("NO_PROXY", exception)
            assert post(url, ca_file=path).status == 200
            assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    ("proxy", "detail"),
    [
        ("socks5://127.0.0.1:1", "it is not http://HOST:PORT"),
        ("https://127.0.0.1:1", "it is not http://HOST:PORT"),
        ("http://127.0.0.1:port", "it is not http://HOST:PORT"),
        ("http://[127.0.0.1:1", "it is not http://HOST:PORT"),
    ],
)
def test_a_proxy_that_we_do_not_speak_with(proxy: str, detail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes past it in silence."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = failure("https://127.0.0.1:1/")
    assert error.cause == "proxy"
    assert detail in str(error)


def test_a_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its status is shown."""
    with Receiver.which(answer(407)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
        error = failure("https://127.0.0.1:1/")
    assert str(error).endswith("(it answered 407)")


# -- fork


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_does_not_touch_the_parents_connection() -> None:
    """It forgets it; the parent goes on with it."""
    with Receiver.which(answer(200)) as receiver:
        transport = Transport(config_for(receiver.url))
        send(transport, receiver.url)
        child = os.fork()
        if child == 0:
            transport.abandon()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert send(transport, receiver.url).status == 200
        transport.close()
    assert receiver.connections == 1


def test_headers_can_be_anything_that_was_let_in() -> None:
    """What the configuration accepts, http.client accepts."""
    headers: Mapping[str, str] = {"X-All": "".join(map(chr, range(0x20, 0x7F))) + "\t!", "x!#$%&'*+-.^_`|~1": "a"}
    with Receiver.which(answer(200)) as receiver:
        assert post(receiver.url, headers=headers).status == 200
    assert receiver.requests[0].headers["x!#$%&'*+-.^_`|~1"] == "a"
