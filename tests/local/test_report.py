"""`ramp-tracing report`."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from ramp_tracing.cli._app import build_app
from ramp_tracing.cli._report_forms import Report, print_table
from ramp_tracing.local._doors import Doors

from .receivers import DAY, JULY, Running, running, span

KEY = "a key of some length"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("filled") / "ledger.sqlite3") as receiver:
        receiver.spans(
            span(1, user__id="ana", gen_ai__usage__total_cost=Decimal("1.1"), trace__metadata__team="a|b"),
            span(2, user__id="ana", start=JULY + DAY, gen_ai__usage__total_cost=Decimal("0.0000000001")),
            span(3, user__id="=1+1", start=JULY + DAY, gen_ai__usage__total_cost=None),
            span(4, start=JULY + DAY, status={"code": 2}, gen_ai__usage__total_cost=None),
        )
        yield receiver


def report(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(build_app(), ["report", *arguments], env=environ)


@pytest.mark.parametrize("arguments", [[], ["--by", "user", "--per", "day"], ["--by", "team", "--until", "2026-07-01"]])
@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_file_and_receiver_say_the_same(filled: Running, form: str, arguments: list[str]) -> None:
    """The same report, byte by byte, from the file and from the receiver that runs on it."""
    from_file = report("--from", str(filled.ledger.path), "--format", form, *arguments)
    from_receiver = report("--from", filled.url, "--format", form, *arguments)
    assert (0, 0) == (from_file.exit_code, from_receiver.exit_code), from_file.output
    assert from_file.stdout == from_receiver.stdout != ""


def test_json_is_exact(filled: Running) -> None:
    """Money is text with all its places, and unknown is null."""
    said = json.loads(report("--from", filled.url, "--by", "user", "--format", "json").stdout)
    costs = {row["value"]: row["cost"] for row in said["rows"]}
    assert {"ana": "1.1000000001", "=1+1": None, None: None} == costs
    assert ("1.1000000001", 4, 1, 1) == tuple(said["total"][name] for name in ("cost", "calls", "failed", "unpriced"))


def test_csv_is_for_spreadsheets(filled: Running) -> None:
    """What is not known is empty, and nothing is a formula."""
    out = report("--from", filled.url, "--by", "user", "--per", "day", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [("2026-07-01", "ana", "1.1000000000"), ("2026-07-02", "ana", "0.0000000001")] == [
        (row["day"], row["user"], row["cost"]) for row in rows[:2]
    ]
    assert {("'=1+1", ""), ("", "")} == {(row["user"], row["cost"]) for row in rows[2:]}


def test_markdown_is_one(filled: Running) -> None:
    """What would end a cell is escaped."""
    lines = report("--from", filled.url, "--by", "team", "--format", "markdown").stdout.splitlines()
    assert "| team | calls | failed | no price | input tokens | output tokens | cost in USD |" == lines[0]
    assert lines[2].startswith("| a\\|b | 1 |")
    assert lines[-1].startswith("| **total** | 4 | 1 | 1 |")


def test_the_table_has_a_total(filled: Running) -> None:
    """People see the sum, and bars."""
    out = report("--from", filled.url).stdout
    assert "1.1000000001" in out
    assert "█" in out


LARGE = "bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0"


def table(*values: str | None, width: int) -> str:
    """The table of large sums in a terminal of so many columns."""
    row = {"began": JULY, "calls": 1_234_567, "failed": 0, "unpriced": 12, "input_tokens": 12_345_678_901}
    more = {"output_tokens": 1_234_567_890, "cost": "24691.3578024690"}
    out = Console(file=io.StringIO(), width=width)
    print_table(out, Report(by="model", per="day", rows=[{**row, **more, "value": value} for value in values]))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 40])
def test_no_figure_is_cut(width: int) -> None:
    """In a narrow terminal figures go on in the next line, and bars are left out first."""
    shown = table(LARGE, width=width)
    assert "…" not in shown
    assert all(len(line) <= width for line in shown.splitlines())
    body = [line.split("│")[1:-1] for line in shown.splitlines() if line.startswith("│")]
    columns = ["".join(cells).replace(" ", "") for cells in zip(*body, strict=True)]
    for figure in ("1,234,567", "12", "12,345,678,901", "1,234,567,890", "24691.3578024690"):
        assert figure * 2 in columns  # of the one row, and of the total
    assert ("█" in shown) == (width == 200)


def test_a_name_is_no_command_to_a_terminal() -> None:
    """What servers and people call themselves is shown as it reads: no escapes, no markup, no reversed order."""
    shown = table("\x1b]0;owned\x07", "[/bold]a[b]", "\u202eevil", "ünï 👩\u200d💻", None, width=200)
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    for name in (r"\x1b]0;owned\x07", "[/bold]a[b]", r"\u202eevil", "ünï 👩\u200d💻", "not given"):
        assert name in shown


def test_narrows_down(filled: Running) -> None:
    """``--where`` chooses calls, by several values of a key, and by its absence."""
    out = report("--from", filled.url, "--where", "user=ana", "--where", "user==1+1", "--format", "json").stdout
    assert 3 == json.loads(out)["total"]["calls"]
    out = report("--from", str(filled.ledger.path), "--where", "team=", "--format", "json").stdout
    assert 3 == json.loads(out)["total"]["calls"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "{tmp}/none"], "serve"),
        (["--from", "http://127.0.0.1:9"], "does not answer"),
        (["--from", "HTTP://127.0.0.1:9"], "does not answer"),
        (["--from", "http://[127.0.0.1"], "does not answer"),
        (["--from", "{url}", "--by", "nobody"], "meta.nobody"),
        (["--from", "{file}", "--by", "nobody"], "meta.nobody"),
        (["--from", "{file}", "--since", "soon"], "write 7d"),
        (["--from", "{file}", "--where", "user"], "key=value"),
        (["--from", "{file}", "--per", "year"], "hour, day"),
        (["--format", "pdf"], "--format"),
    ],
)
def test_says_what_to_change(filled: Running, tmp_path: Path, arguments: list[str], said: str) -> None:
    """What cannot be reported is said on standard error, with exit code 2."""
    places = {"tmp": str(tmp_path), "url": filled.url, "file": str(filled.ledger.path)}
    result = report(*[each.format(**places) for each in arguments])
    assert (2, "") == (result.exit_code, result.stdout)
    assert said in result.stderr


def test_nothing_to_report(receiver: Running) -> None:
    """An empty ledger is no error."""
    result = report("--from", receiver.url)
    assert (0, "There are no such calls.\n") == (result.exit_code, result.stdout)


def test_shows_the_key(tmp_path: Path) -> None:
    """A receiver with a key is asked with the one from the environment."""
    with running(tmp_path / "ledger.sqlite3", Doors(key=KEY)) as locked:
        refused = report("--from", locked.url)
        assert (2, True) == (refused.exit_code, "key" in refused.stderr)
        assert 0 == report("--from", locked.url, RAMP_TRACING_LOCAL_KEY=KEY).exit_code
