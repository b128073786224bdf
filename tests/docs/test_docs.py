"""
What the documents show works: every fenced block of README.md and docs/ is run, parsed or compared.

The Python blocks of a page run in their order, in one namespace; blocks.py says how a page tells what is expected.
"""

import re
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

import ramp_tracing
from ramp_tracing.local._schema import TABLES
from ramp_tracing.testing import FakeRamp

from .blocks import PAGES, ROOT, blocks, lines
from .commands import COMMANDS
from .stage import stage


def pages_with(language: str) -> list[Any]:
    return [pytest.param(page, id=page.name) for page in PAGES if blocks(page, language)]


# --- Python


@pytest.mark.filterwarnings("ignore")  # what LiteLLM and LangChain warn of is theirs
@pytest.mark.parametrize("page", pages_with("python"))
def test_python_does_what_the_page_says(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run one after another, and report as many calls as is said of them."""
    shown = blocks(page, "python")
    with stage(monkeypatch) as at:
        for block in shown:
            block.compiled()
            if block.runs:
                at.play(block)


# --- what is typed


def test_every_language_is_tested_here() -> None:
    """A block in a language that no test reads would rot."""
    elsewhere = {"house", "text"}  # test_package.py, test_examples_langchain.py
    known = {"console", "python", "sql", "toml", "yaml"} | elsewhere
    assert {block.language for page in PAGES for block in blocks(page)} <= known


@pytest.mark.parametrize("page", pages_with("console"))
def test_commands_are_understood(page: Path) -> None:
    """Each command that is shown exists, with its options."""
    for words in lines(page):
        assert words[0] in COMMANDS, f"nobody knows {words[0]}"
        COMMANDS[words[0]](words[1:])


# --- what is written into files


@pytest.mark.parametrize("page", pages_with("toml"))
def test_tables_of_prices_can_be_used(page: Path) -> None:
    """The TOML that is shown is a table of prices that `instrument()` takes."""
    for block in blocks(page, "toml"):
        with FakeRamp() as ramp:
            ramp_tracing.instrument(api_key="none", base_url=ramp.url, prices=tomllib.loads(block.text))
            ramp_tracing.uninstrument()


@pytest.mark.parametrize("page", pages_with("yaml"))
def test_settings_can_be_read(page: Path) -> None:
    """YAML parses, and says something."""
    assert all(yaml.safe_load(block.text) for block in blocks(page, "yaml"))


@pytest.mark.parametrize("page", pages_with("sql"))
def test_questions_to_the_ledger_have_an_answer(page: Path) -> None:
    """SQL runs on a ledger."""
    with closing(sqlite3.connect(":memory:")) as ledger:
        ledger.executescript(TABLES)
        for block in blocks(page, "sql"):
            ledger.executescript(block.text)


# --- what is quoted


def test_quoted_log_lines_are_written_somewhere() -> None:
    """docs/troubleshooting.md quotes log lines: each is a piece of one that the package writes."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    table = text.partition("| line | what to do |")[2].partition("\n\n")[0]
    quoted = [line for row in table.splitlines()[2:] for line in re.findall(r"`([^`]+)`", row.split("|")[1])]
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert quoted
    assert [line for line in quoted if line not in source] == []


def test_named_tests_exist() -> None:
    """Where a page says which test holds a promise, there is that test."""
    named = {name for page in PAGES for name in re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", page.read_text("utf-8"))}
    assert len(named) > 10
    for path, _, function in (name.partition("::") for name in named):
        assert f"def {function}(" in (ROOT / path).read_text("utf-8") or not function
