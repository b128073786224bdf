"""`ramp-tracing prices`: what a model costs, and where two lists disagree."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from ramp_tracing._journal import open_journal
from ramp_tracing._record import Generation, GenerationId, Timing, UnixNanos
from ramp_tracing.cli._app import build_app

LITELLM: Final = """{
    "sample_spec": {"litellm_provider": "one of…", "input_cost_per_token": 0},
    "gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
               "cache_read_input_token_cost": 1.25e-06, "output_cost_per_token_flex": 4e-06},
    "deepseek/deepseek-chat": {"litellm_provider": "deepseek", "input_cost_per_token": 2.8e-07,
                               "output_cost_per_token": 4.2e-07},
    "only-here": {"litellm_provider": "openai", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
    "gpt-5": {"litellm_provider": "somebody else", "input_cost_per_token": 1, "output_cost_per_token": 1}
}"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A list in the form of LiteLLM's."""
    path = tmp_path / "litellm.json"
    path.write_text(LITELLM)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A table of the user's own."""
    path = tmp_path / "own.toml"
    path.write_text(
        '[[prices]]\nmodel = "gpt-4o"\ninput = 2\noutput = 8\n[prices.tiers.batch]\ninput = 1\noutput = 4\n'
    )
    return path


def run(*arguments: object) -> Result:
    """The command's result."""
    return CliRunner(env={"RAMP_TRACING_PRICES": ""}).invoke(build_app(), ["prices", *map(str, arguments)])


def told(*arguments: object) -> Any:
    """What it says with ``--json``."""
    return json.loads(run(*arguments, "--json").stdout)


def test_answers_of_the_ladder(theirs: Path, own: Path) -> None:
    """The answers stand in the order of the ladder; of a direct call, the first that prices all of it is used."""
    options = ("--tokens", "in=1000,out=100,cached=400", "--litellm-prices", theirs)
    said = told("gpt-4o", "--prices", own, *options)
    assert ("openai", "own") == (said["provider"], said["used"])
    assert [
        ("litellm", "LiteLLM", {"input": "0.002", "output": "0.001", "total": "0.003"}),
        ("own", "own.toml", {"input": "0.002", "output": "0.0008", "total": "0.0028"}),
        ("list", said["answers"][2]["price_list"], {"input": "0.002", "output": "0.001", "total": "0.003"}),
    ] == [(each["name"], each["price_list"], each["cost"]) for each in said["answers"]]
    assert "list" == told("gpt-4o", *options)["used"]
    assert {"input": "2.5", "output": "10", "cached": "1.25"} == said["answers"][0]["prices"]


def test_tiers(own: Path, theirs: Path) -> None:
    """A tier's own prices are shown."""
    said = told("gpt-4o", "--tier", "batch", "--tokens", "in=1000,out=100", "--prices", own, "--litellm-prices", theirs)
    assert {"own": {"input": "1", "output": "4"}} == {each["name"]: each["prices"] for each in said["answers"][1:2]}
    assert "0.0014" == said["answers"][1]["cost"]["total"]


def test_cache_writes_that_live_for_twelve_hours(tmp_path: Path) -> None:
    """They can be tried like every other count that an own price is for."""
    path = tmp_path / "own.toml"
    path.write_text('[[prices]]\nmodel = "gpt-5.6"\ninput = 2\noutput = 8\ncache_write = 2\ncache_write_12h = 4\n')
    said = told("gpt-5.6", "--prices", path, "--tokens", "in=1000,out=0,written=1000,written_12h=500")
    [own] = [answer for answer in said["answers"] if answer["name"] == "own"]
    assert ("own", "0.003") == (said["used"], own["cost"]["total"])


def test_without_tokens() -> None:
    """Without a call to price it shows prices alone."""
    said = told("gpt-5", "--provider", "openai")
    [answer] = [each for each in said["answers"] if each["name"] == "list"]
    assert ("list", None, "1.25") == (said["used"], answer["cost"], answer["prices"]["input"])
    result = run("gpt-5")
    assert 0 == result.exit_code
    assert "the bundled list" in result.stdout


@pytest.mark.parametrize("arguments", [("no-such-model",), ("gpt-4o", "--provider", "groq")])
def test_nobody_knows(arguments: tuple[str, ...]) -> None:
    """Where nobody lists a model it says so, and the exit code is 1."""
    result = run(*arguments)
    assert 1 == result.exit_code
    assert "Nobody lists" in result.stdout


def test_a_price_that_would_not_be_used() -> None:
    """A price that is said to be wrong is shown, and that it is not used."""
    result = run("deepseek-chat", "--provider", "deepseek")
    assert 1 == result.exit_code
    assert "None of these would be used" in result.stdout


@pytest.mark.parametrize("tokens", ["in", "in=x", "in=-1", "inn=1", "in=1 out=2"])
def test_wrong_tokens(tokens: str) -> None:
    """Counts that cannot be read are an error that shows how to write them."""
    result = run("gpt-4o", "--tokens", tokens)
    assert 2 == result.exit_code
    assert "in=1000,out=100" in result.output


def test_wrong_tables(tmp_path: Path) -> None:
    """A table that cannot be used is named, with what to change."""
    result = run("gpt-4o", "--prices", tmp_path / "none.toml")
    assert (2, True) == (result.exit_code, "the file cannot be read" in result.output)
    result = run("gpt-4o", "--litellm-prices", tmp_path / "none.json")
    assert (2, True) == (result.exit_code, "LiteLLM's list cannot be read" in result.output)


def test_audit_of_named_models(theirs: Path) -> None:
    """Two lists agree, disagree, or only one has a model; another provider's price is none of ours."""
    names = ("openai/gpt-4o", "deepseek/deepseek-chat", "openai/only-here", "gpt-5", "openai/nowhere")
    named = [part for name in names for part in ("--models", name)]
    said = told("audit", *named, "--litellm-prices", theirs)
    assert [
        ("openai", "gpt-4o", "they agree"),
        ("deepseek", "deepseek-chat", "they disagree"),
        ("openai", "only-here", "only in LiteLLM"),
        ("openai", "gpt-5", "only in the bundled list"),
        ("openai", "nowhere", "in neither"),
    ] == [(each["provider"], each["model"], each["verdict"]) for each in said]
    assert {"list", "litellm"} == said[1]["differences"]["input"].keys()
    assert Decimal("0.28") == Decimal(said[1]["differences"]["input"]["litellm"])
    result = run("audit", *named, "--litellm-prices", theirs)
    assert 1 == result.exit_code
    assert "they disagree" in result.stdout
    assert 0 == run("audit", "--models", "gpt-4o", "--litellm-prices", theirs).exit_code


def test_audit_of_the_local_journal(theirs: Path, tmp_path: Path) -> None:
    """Without names it compares the models of the calls that are on disk, each once."""
    journal = open_journal(state_dir=str(tmp_path / "state"), base_url="https://ramp.test/x", key="key")
    for number, model in enumerate(("gpt-4o", "gpt-4o", "deepseek-chat", None)):
        journal.append(
            Generation(
                id=GenerationId(f"gen-{number}-12345678"),
                operation="chat",
                library="openai",
                timing=Timing(started=UnixNanos(1), ended=UnixNanos(2)),
                provider="deepseek" if model == "deepseek-chat" else "openai",
                response_model=model,
            )
        )
    said = told("audit", "--state-dir", tmp_path / "state", "--litellm-prices", theirs)
    journal.close()
    assert [("deepseek", "deepseek-chat"), ("openai", "gpt-4o")] == [(each["provider"], each["model"]) for each in said]


def test_audit_of_nothing(theirs: Path, tmp_path: Path) -> None:
    """An empty journal is said to be empty, with what to do."""
    result = run("audit", "--state-dir", tmp_path, "--litellm-prices", theirs)
    assert 2 == result.exit_code
    assert "--models openai/gpt-4o" in result.output
