"""Who may come in."""

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ramp_tracing._fake_ramp import PATH
from ramp_tracing.local._doors import COOKIE, Doors, host_of
from ramp_tracing.local._serving import Serving, ServingError, serve

from .receivers import Running, running, span

KEY = "a key of some length"


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "ledger.sqlite3", Doors(key=KEY)) as receiver:
        yield receiver


def test_a_key_guards_both_doors(locked: Running) -> None:
    """Where there is a key nothing is taken and nothing is shown without it."""
    assert 401 == locked.spans(span(1)).status
    assert 200 == locked.spans(span(1), Authorization=f"Bearer {KEY}").status
    for path in ("overview", "calls", "calls/1", "keys", "values?key=model", "report", "change", "export.csv"):
        assert 401 == locked.get(f"/api/{path}").status
        assert 401 == locked.get(f"/api/{path}", Authorization="Bearer wrong").status
        assert 401 == locked.get(f"/api/{path}", Cookie=f"{COOKIE}=guessed").status
        assert 200 == locked.get(f"/api/{path}", Authorization=f"Bearer {KEY}").status


def test_a_browser_gets_a_cookie_for_the_key(locked: Running) -> None:
    """The key opens a session whose cookie no script and no other site gets to see."""
    assert 401 == locked.exchange("POST", "/api/session", b"wrong", {}).status
    reply = locked.exchange("POST", "/api/session", KEY.encode(), {})
    cookie = reply.headers["set-cookie"]
    assert (204, True, True) == (reply.status, "HttpOnly" in cookie, "samesite=strict" in cookie.lower())
    assert 200 == locked.get("/api/change", Cookie=cookie.partition(";")[0]).status


def test_a_ticket_opens_once(tmp_path: Path) -> None:
    """What the command line gives to a browser lets it in one time."""
    doors = Doors(key=KEY)
    session = doors.open_with_ticket(ticket := doors.ticket())
    assert session is not None
    assert None is doors.open_with_ticket(ticket)


def test_answers_to_its_own_names_only(receiver: Running) -> None:
    """A page of somebody else's, whose name was made to point here, reads nothing."""
    port = urlsplit(receiver.url).port
    for host, expected in ((f"localhost:{port}", 200), ("rebound.example", 421), (f"rebound.example:{port}", 421)):
        connection = HTTPConnection("127.0.0.1", port or 0, timeout=90)
        connection.request("GET", "/api/change", headers={"Host": host})
        assert expected == connection.getresponse().status
        connection.close()


@pytest.mark.parametrize(
    ("header", "name"), [("127.0.0.1:80", "127.0.0.1"), ("[::1]:80", "[::1]"), ("LOCALHOST", "localhost"), ("", "")]
)
def test_reads_hosts(header: str, name: str) -> None:
    """The name is what stands before the port."""
    assert name == host_of(header)


def test_forbids_the_page_everything_else(receiver: Running) -> None:
    """Every answer says that nothing may come from outside and that no other page may show it."""
    for path in ("/", "/main.js", "/api/change", PATH, "/nothing"):
        policy = receiver.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy


def test_the_page_is_whole(receiver: Running) -> None:
    """Everything that the page names is there, and it names nothing elsewhere."""
    page = receiver.get("/").body.decode()
    assert "://" not in page
    for path in ("style.css", "main.js", "vendor/chart.umd.min.js", "vendor/chart.js-LICENSE.md", "icon.svg"):
        assert 200 == receiver.get(f"/{path}").status
    assert 404 == receiver.get("/%2e%2e/_serving.py").status


@pytest.mark.parametrize("key", [None, "too short"])
def test_other_machines_need_a_key(tmp_path: Path, key: str | None) -> None:
    """Beyond loopback it does not start without a key of some length."""
    serving = Serving(database=tmp_path / "ledger.sqlite3", host="0.0.0.0", key=key)
    with pytest.raises(ServingError, match="--key"):
        serve(serving, announce=lambda url: None)
    assert not (tmp_path / "ledger.sqlite3").exists()
