"""What the benchmark concludes from what it measured; measuring itself is what `nox -s bench` does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.compare import callgrind, goals, instructions, report, workers
from benchmarks.compare.contenders import CONTENDERS, PEERS
from benchmarks.compare.receiver import spans_in
from benchmarks.compare.workers import Place, counts, order

SPAN = "00f067aa0ba902b7"


# --- the receiver


def otlp(span: str) -> dict[str, Any]:
    """A request with one span, as JSON."""
    body = {
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "spanId": span,
        "parentSpanId": "b9c7c989f97918e1",
        "name": "chat",
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [body]}]}]}


def test_spans_are_counted_in_json() -> None:
    """By their own id, not by that of their parent."""
    found = spans_in("/ours", "application/json", json.dumps(otlp(SPAN)).encode())
    assert found == [SPAN.encode()]


def test_spans_are_counted_in_protobuf() -> None:
    """By their own id, not by that of their parent or a link."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.scope.name = "bench"
    for number in (1, 2):
        span = scope.spans.add(
            span_id=bytes([number]) * 8, parent_span_id=b"parent-0", name="chat", end_time_unix_nano=7
        )
        span.links.add(span_id=b"linked-0")
    found = spans_in("/peer/v1/traces", "application/x-protobuf", request.SerializeToString())
    assert found == [b"\1" * 8, b"\2" * 8]


def test_runs_are_counted_in_parts() -> None:
    """LangSmith sends a run as a part of its own, and its inputs and outputs as others."""
    run = "0198f1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
    body = "".join(
        f'--x\r\nContent-Disposition: form-data; name="post.{run}{part}"\r\n\r\n{{}}\r\n' for part in ("", ".inputs")
    )
    assert spans_in("/peer/runs/multipart", "multipart/form-data; boundary=x", body.encode()) == [run.encode()]


@pytest.fixture
def place() -> Iterator[Place]:
    """A receiver in a process of its own."""
    with workers.receiving(Path("nowhere")) as made:
        yield made


def test_a_span_that_is_sent_twice_is_counted_once(place: Place) -> None:
    """Per contender, until it is asked."""
    for who, span in (("ours", SPAN), ("ours", SPAN), ("otel-genai", "a" * 16)):
        post(place.address(who), otlp(span))
    assert counts(place, "ours")["spans"] == 1
    assert counts(place, "ours")["spans"] == 0
    assert counts(place, "otel-genai") | {"sent": 0, "raw": 0} == {"spans": 1, "requests": 1, "sent": 0, "raw": 0}


def test_a_silent_receiver_counts_only_who_waits_for_its_answer(place: Place) -> None:
    """Whoever hung up does not know that it arrived, and sends it again."""
    order(place.receiver, "silence")
    with pytest.raises(TimeoutError):
        post(place.address("ours"), otlp(SPAN), timeout=0.2)
    order(place.receiver, "speak")
    post(place.address("ours"), otlp("b" * 16))
    assert counts(place, "ours")["spans"] == 1


def post(address: str, body: object, timeout: float = 20) -> None:
    """Send it."""
    import urllib.request

    headers = {"content-type": "application/json"}
    request = urllib.request.Request(address, data=json.dumps(body).encode(), headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        answer.read()


# --- conclusions


def test_dumps_of_the_first_thread_are_read(tmp_path: Path) -> None:
    """Each says what was played, in which state, and how often; that of another thread is left alone."""
    played = [("stream 200*bare*0", 400), ("stream 200*bare*1", 7_000), ("chat*on*20", 9_000)]
    for number, (trigger, cost) in enumerate(played):
        text = f"version: 1\nthread: 1\ndesc: Trigger: dump {trigger}\nevents: Ir\nfn=(1) f\n0 {cost}\n"
        (tmp_path / f"dump.{number}-01").write_text(text)
    (tmp_path / "dump.9-02").write_text("desc: Trigger: dump chat*on*20\nfn=(1) f\n0 1\n")
    expected = {("stream 200", "bare", 0): 400, ("stream 200", "bare", 1): 7_000, ("chat", "on", 20): 9_000}
    found = {turn: tally.instructions for turn, tally in instructions.tallies_of(tmp_path / "dump")}
    assert found == expected


def test_the_allocator_is_counted_apart_from_the_rest() -> None:
    """By the names of its functions; what a function called took is not its own."""
    dump = """
fn=(1) _PyEval_EvalFrameDefault
16 100
+3 20
cfn=(2) malloc
calls=3 0
* 90
fn=(2)
0 60
cfn=(3) _int_malloc
calls=1 0
0 30
fn=(3)
0 30
fn=(4) free
-1 7
fn=(5) PyMem_Malloc
cob=(7)
cfn=(2)
calls=2 0
0 50
"""
    assert callgrind.tally_of(dump) == callgrind.Tally(instructions=120, allocator=97, allocations=5)


def tally(instructions: float, allocator: float = 0, allocations: float = 0) -> callgrind.Tally:
    """What a turn took."""
    return callgrind.Tally(instructions, allocator, allocations)


def test_an_empty_turn_is_what_counting_costs() -> None:
    """And the median counts: a turn in which a thread that sends was busy is neither left out nor decides alone."""
    counted = {("chat", "bare", 0): (90, 110), ("chat", "bare", 10): (1_100, 1_500, 1_120)}
    tallies = [(turn, tally(count)) for turn, counts in counted.items() for count in counts]
    assert instructions.per_call(tallies) == {"chat": {"bare": 102}}


def test_an_allocation_costs_what_it_costs_the_bare_application() -> None:
    """What the allocator did for the other state, which asked for more, is another matter."""
    turns = {"bare": tally(1_000, 400, 20), "on": tally(1_200, 9_000, 30)}
    tallies = [(("chat", state, 10), turn) for state, turn in turns.items()]
    tallies += [(("chat", state, 0), tally(0)) for state in turns]
    assert instructions.per_call(tallies) == {"chat": {"bare": 140, "on": 180}}


def test_what_a_contender_adds_is_counted_in_its_own_process() -> None:
    """Where the bare application may take more or less than in another one; of several, the median is believed."""
    samples = {
        "baseline": [{"bare": 500, "on": 490}, {"bare": 400, "on": 390}, {"bare": 900, "on": 100}],
        "ours": [{"bare": 700, "on": 760}, {"bare": 700, "on": 9_000}, {"bare": 500, "on": 510}],
        "baseline again": [{"bare": 300, "on": 297}],
        "langfuse": [{"bare": 7}],
    }
    found = instructions.beside_baseline(samples)
    assert found == {"baseline": 500, "ours": 570, "baseline again": 507}
    assert instructions.added(found, "ours") == 70


def rounds(**added: float) -> dict[str, dict[str, list[float]]]:
    """Two rounds of chats, to each figure of which contenders add this much."""

    def figures(more: float) -> dict[str, list[float]]:
        return {figure: [1_000 + more, 1_200 + more] for figure in report.TIMED}

    return {"baseline": figures(0)} | {name: figures(each) for name, each in added.items()}


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    """What is measured → the word."""
    return {each.goal.what: each.word for each in goals.judge(results)}


def test_a_goal_that_depends_on_peers_is_judged_by_the_cheapest() -> None:
    """An eighth of 306 µs is 38."""
    what = "chat, caller's added CPU, at most 1/8 of the cheapest peer"
    words = [verdicts({"timing": {"chat": rounds(ours=ours, langfuse=345, langsmith=306)}})[what] for ours in (38, 39)]
    assert words == ["pass", "FAIL"]


def test_noise_as_large_as_what_is_allowed_is_no_verdict() -> None:
    """Then the row of instructions decides."""
    what = "chat, caller's added CPU, at most 1/8 of the cheapest peer"
    found = rounds(**{"ours": 10, "baseline again": -40, "langfuse": 306})
    assert verdicts({"timing": {"chat": found}})[what] == "noise"


def test_curves_are_drawn() -> None:
    """Ten times as much is five characters longer."""
    drawn = report.curve({"1": {"µs": 9.0}, "10": {"µs": 99.0, "MiB": 3.0}})
    assert drawn.splitlines()[2:] == ["| 1 | 9.0 | `█████` |", "| 10 | 99.0 | `██████████` |"]


def test_a_difference_below_nothing_is_drawn() -> None:
    """As noise makes one, of any size; it has no length."""
    assert report.curve({"100": {"µs": -350.0}}).splitlines()[2:] == ["| 100 | -350 | `` |"]


def test_what_was_not_measured_has_no_verdict() -> None:
    """Neither of a whole run that was left out, nor of peers that were."""
    assert set(verdicts({}).values()) == {"–"}
    without_peers = verdicts({"timing": {"chat": rounds(ours=1)}})
    assert set(without_peers.values()) == {"–"}


def test_a_chunk_costs_what_longer_streams_cost_more() -> None:
    """And the bare application's own chunks are not counted."""
    counts = {
        "stream 200": {"baseline": 200_000, "ours": 700_000},
        "stream 400": {"baseline": 400_000, "ours": 1_500_000},
    }
    [chunk] = [each for each in goals.judge({"instructions": counts}) if each.goal.what == "stream, caller, a chunk"]
    assert (chunk.figure, chunk.word) == (3_000, "pass")


def test_figures_are_published_between_the_markers(tmp_path: Path) -> None:
    """What is around them stays, and a second time replaces the first."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    results: dict[str, Any] = {"about": {"date": "today", "versions": {}}, "timing": {"chat": rounds(ours=77)}}
    report.publish(results, page)
    report.publish(results, page)
    text = page.read_text()
    assert (text.startswith("before\n"), text.endswith(f"{report.END}\nafter\n"), "old" in text) == (True, True, False)
    assert text.count("| ours | +77.0 |") == len(report.TIMED)


def test_every_peer_has_an_environment() -> None:
    """A dependency group of the same name."""
    import tomllib

    groups = tomllib.loads((workers.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert {f"bench-{CONTENDERS[peer].environment}" for peer in PEERS} == {
        each for each in groups if each[:6] == "bench-"
    }
