"""The small HTTP server that plays Ramp and the providers."""

import gzip
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest
import trustme

from ramp_tracing._loopback import Answer, LoopbackServer, Request, json_answer

PAGE = Answer(headers={"X-Kind": "page"}, body=b"hello")


def answer_page(request: Request) -> Answer:
    """The same page, whatever was asked."""
    return PAGE


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server that always answers the same."""
    with LoopbackServer(answer_page, max_body_bytes=10_000) as running:
        yield running


def connect(server: LoopbackServer) -> closing[http.client.HTTPConnection]:
    """A client with a time limit."""
    return closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30))


def exchange(server: LoopbackServer, sent: bytes) -> bytes:
    """Send raw bytes and read until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def post(server: LoopbackServer, body: bytes, **headers: str) -> int:
    """POST *body*, return the status."""
    with connect(server) as client:
        client.request("POST", "/", body, {name.replace("_", "-"): value for name, value in headers.items()})
        return client.getresponse().status


class TestRequests:
    def test_records_what_was_asked(self, server: LoopbackServer) -> None:
        """A request is kept with its method, path, query, lower-case headers and body."""
        with connect(server) as client:
            client.request("PUT", "/a/b?c=%20d", b'{"n": 1}', {"X-Name": "value"})
            client.getresponse().read()
        [request] = server.requests
        assert (request.method, request.path, request.query, request.body) == ("PUT", "/a/b", "c=%20d", b'{"n": 1}')
        assert request.headers["x-name"] == "value"
        assert request.json == {"n": 1}

    def test_keeps_the_connection(self, server: LoopbackServer) -> None:
        """Several requests go over one connection."""
        with connect(server) as client:
            sockets: set[object] = set()
            for _ in range(3):
                client.request("GET", "/")
                assert client.getresponse().read() == b"hello"
                sockets.add(client.sock)
        assert len(sockets) == 1
        assert len(server.requests) == 3

    def test_joins_repeated_headers(self, server: LoopbackServer) -> None:
        """A header that comes twice is one, joined with a comma."""
        exchange(server, b"GET / HTTP/1.1\r\nA: 1\r\na: 2\r\n\r\n")
        assert server.requests[0].headers["a"] == "1, 2"

    def test_reads_a_chunked_body(self, server: LoopbackServer) -> None:
        """A body in chunks arrives whole, trailers are skipped and the connection stays usable."""
        chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n"
        exchange(server, chunked + b"GET /next HTTP/1.1\r\n\r\n")
        assert [(each.path, each.body) for each in server.requests] == [("/", b"hello!"), ("/next", b"")]

    def test_unpacks_gzip(self, server: LoopbackServer) -> None:
        """A body that was packed with gzip is kept unpacked."""
        assert post(server, gzip.compress(b"hello"), Content_Encoding="gzip") == 200
        assert server.requests[0].body == b"hello"

    def test_answers_expect_continue(self, server: LoopbackServer) -> None:
        """A client that asks before it sends its body is told to go on."""
        answer = exchange(server, b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
        assert answer.startswith(b"HTTP/1.1 100 ")
        assert server.requests[0].body == b"hi"

    def test_waits_for_requests(self, server: LoopbackServer) -> None:
        """Waiting ends when enough requests are there, and gives up after the time given."""
        assert not server.wait_for_requests(1, timeout_seconds=0.01)
        asking = threading.Timer(0.05, post, (server, b""))
        asking.start()
        assert server.wait_for_requests(1, timeout_seconds=30)
        asking.join()


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "headers", "status"),
        [
            (b"x" * 10_001, {}, 413),
            (gzip.compress(b"x" * 10_000_000), {"Content_Encoding": "gzip"}, 413),
            (b"not gzip", {"Content_Encoding": "gzip"}, 400),
            (gzip.compress(b"hello")[:-3], {"Content_Encoding": "gzip"}, 400),
            (gzip.compress(b"a") * 2, {"Content_Encoding": "gzip"}, 400),
            (b"", {"Content_Encoding": "br"}, 415),
            (b"", {"Content_Length": "-1"}, 400),
            (b"", {"Content_Length": "1_0"}, 400),
        ],
        ids=["long", "bomb", "not gzip", "half gzip", "two members", "br", "negative", "underscore"],
    )
    def test_refuses_a_bad_body(
        self, server: LoopbackServer, body: bytes, headers: dict[str, str], status: int
    ) -> None:
        """A body that is too long or unreadable is refused, and the answering function never sees it."""
        assert post(server, body, **headers) == status
        assert server.requests == []

    @pytest.mark.parametrize("chunks", [b"zz\r\nhello", b"2\r\nhello", b"2711\r\n" + b"x" * 10_001, b"5\r\nhel"])
    def test_refuses_bad_chunks(self, server: LoopbackServer, chunks: bytes) -> None:
        """Chunks that are broken, cut or too many are refused."""
        answer = exchange(server, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413")
        assert server.requests == []

    def test_says_so_to_a_client_that_still_sends(self, server: LoopbackServer) -> None:
        """A client that has sent a long body still reads why it was refused."""
        assert post(server, b"x" * 500_000) == 413


class TestAnswers:
    def test_sends_status_headers_and_body(self, server: LoopbackServer) -> None:
        """An answer arrives as it was given, with its length."""
        with urllib.request.urlopen(server.url, timeout=30) as answer:
            assert (answer.status, answer.headers["X-Kind"], answer.headers["Content-Length"], answer.read()) == (
                200,
                "page",
                "5",
                b"hello",
            )

    def test_streams_pieces_as_they_come(self) -> None:
        """The first piece is there before the second is made."""
        go_on = threading.Event()

        def pieces() -> Iterator[bytes]:
            yield b"first"
            assert go_on.wait(30)
            yield b"second"

        with LoopbackServer(lambda _: Answer(body=pieces())) as server, connect(server) as client:
            client.request("GET", "/")
            answer = client.getresponse()
            assert answer.read1() == b"first"
            go_on.set()
            assert answer.read() == b"second"

    def test_waits_before_it_answers(self) -> None:
        """The answer is as late as it was told to be."""
        with LoopbackServer(lambda _: Answer(delay_seconds=0.1)) as server:
            started = time.monotonic()
            assert post(server, b"") == 200
            assert time.monotonic() - started >= 0.1

    @pytest.mark.parametrize("body", [b"half", [b"ha", b"lf"]])
    def test_cuts_after_the_body(self, body: bytes | list[bytes]) -> None:
        """A cut answer looks incomplete to the client."""
        with LoopbackServer(lambda _: Answer(body=body, cut=True)) as server, connect(server) as client:
            client.request("GET", "/")
            with pytest.raises(http.client.IncompleteRead) as caught:
                client.getresponse().read()
        assert caught.value.partial == b"half"

    def test_cuts_before_the_answer(self) -> None:
        """A cut answer without a body is no answer."""
        with LoopbackServer(lambda _: Answer(cut=True)) as server, pytest.raises(http.client.RemoteDisconnected):
            post(server, b"")

    @pytest.mark.parametrize("status", [204, 304])
    def test_leaves_out_a_body_that_may_not_be(self, status: int) -> None:
        """Statuses that have no body leave the connection usable."""
        with LoopbackServer(lambda _: Answer(status=status, body=b"no")) as server, connect(server) as client:
            for _ in range(2):
                client.request("GET", "/")
                assert client.getresponse().read() == b""

    def test_answers_head_without_a_body(self, server: LoopbackServer) -> None:
        """HEAD gets the length, but not the body."""
        with connect(server) as client:
            for _ in range(2):
                client.request("HEAD", "/")
                answer = client.getresponse()
                assert (answer.read(), answer.getheader("Content-Length")) == (b"", "5")

    def test_makes_json(self) -> None:
        """`json_answer` sends JSON and says that it is."""
        answer = json_answer({"a": 1}, status=201, headers={"X": "y"})
        assert isinstance(answer.body, bytes)
        assert (answer.status, json.loads(answer.body)) == (201, {"a": 1})
        assert answer.headers == {"Content-Type": "application/json", "X": "y"}

    def test_a_fault_drops_the_connection(self, capfd: pytest.CaptureFixture[str]) -> None:
        """If the answering function raises, the client gets no answer and standard error the traceback."""

        def fail(request: Request) -> Answer:
            raise ZeroDivisionError

        with LoopbackServer(fail) as server:
            with pytest.raises(http.client.RemoteDisconnected):
                post(server, b"")
            with pytest.raises(http.client.RemoteDisconnected):  # the server itself goes on
                post(server, b"")
        assert "ZeroDivisionError" in capfd.readouterr().err

    def test_a_client_that_leaves_is_no_news(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A client that goes away in the middle of a stream leaves nothing on standard error."""
        left = threading.Event()

        def pieces() -> Iterator[bytes]:
            while not left.is_set():
                yield b"x" * 65_536
            for _ in range(50):
                yield b"x" * 65_536

        with LoopbackServer(lambda _: Answer(body=pieces())) as server:
            with connect(server) as client:
                client.request("GET", "/")
                client.getresponse().read1()
            left.set()
        assert capfd.readouterr().err == ""


class TestLife:
    def test_serves_tls(self) -> None:
        """With a context it serves https, and a client that does not trust it is told at once."""
        authority = trustme.CA()
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(serving)
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        with LoopbackServer(answer_page, tls=serving) as server:
            assert server.url.startswith("https://127.0.0.1:")
            assert urllib.request.urlopen(server.url, timeout=30, context=trusting).read() == b"hello"
            with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
                urllib.request.urlopen(server.url, timeout=30, context=ssl.create_default_context())

    @pytest.mark.parametrize(
        "answer",
        [PAGE, Answer(delay_seconds=60), Answer(body=iter(lambda: b"x" * 65_536, b""))],
        ids=["idle", "thinking", "streaming"],
    )
    def test_ends_at_once(self, answer: Answer) -> None:
        """Closing does not wait for a client that keeps its connection, nor for an answer under way."""
        with LoopbackServer(lambda _: answer) as server, connect(server) as client:
            client.request("GET", "/")
            assert server.wait_for_requests(1, timeout_seconds=30)
            started = time.monotonic()
            server.close()
            assert time.monotonic() - started < 20
        with pytest.raises(ConnectionRefusedError):
            post(server, b"")

    def test_leaves_no_thread(self) -> None:
        """Nothing runs after the block."""
        before = set(threading.enumerate())
        with LoopbackServer(answer_page) as server, connect(server) as client:
            client.request("GET", "/")
            client.getresponse().read()
        deadline = time.monotonic() + 30
        while not set(threading.enumerate()) <= before and time.monotonic() < deadline:
            time.sleep(0.005)
        assert set(threading.enumerate()) <= before

    def test_opens_again_on_its_port(self) -> None:
        """A server that was closed comes back on the same port and remembers what it was asked."""
        server = LoopbackServer(answer_page)
        ports: set[int] = set()
        for _ in range(2):
            with server:
                ports.add(server.port)
                post(server, b"")
        assert len(ports) == 1
        assert len(server.requests) == 2

    def test_serves_many_at_once(self) -> None:
        """Thirty clients are answered together, not one after the other."""
        together = threading.Barrier(30)

        def meet(request: Request) -> Answer:
            together.wait(30)
            return PAGE

        with LoopbackServer(meet) as server:
            threads = [threading.Thread(target=post, args=(server, b"")) for _ in range(30)]
            for each in threads:
                each.start()
            for each in threads:
                each.join(30)
        assert not together.broken
        assert len(server.requests) == 30
