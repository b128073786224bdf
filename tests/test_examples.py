"""The examples do what they say, without keys and without a network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"


def run(*arguments: str) -> str:
    """Run Python on *arguments*, return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAMP_", "OPENAI_"))}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT / "src"), environment.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=99, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "quickstart.py",
            [
                "would have received: 1\n",
                "LLM Generation | openai/gpt-4o-mini-2024-07-18 | 412 in, 96 out | $0.0001194",
            ],
        ),
        (
            "attribution.py",
            [
                "would have received: 5\n",
                "| ada | {'environment': 'staging', 'department': 'finance', 'cost_center': 'CC-1234'}",
                "Check renewal | openai/gpt-4.1-2025-04-14",
                "'cost_center': 'CC-9000'",
                "Rank results | openai/gpt-4.1-2025-04-14 | 9051 in, 133 out",
                "| nobody | {'environment': 'staging', 'team': 'search'}",
                "$0.016335 | grace | ",
            ],
        ),
        (
            "by_hand.py",
            [
                "would have received: 3\n",
                "12 in, 12 out | $0.00042 | ada | {'team': 'search'}",
                "? in, ? out | $? | ada | {'team': 'search'}",
                "1200 in, 80 out | $0.000228 | nightly-import | {'team': 'search'}",
            ],
        ),
    ],
)
def test_runs_offline(script: str, expected: list[str]) -> None:
    """Each script reports its calls, priced and attributed."""
    output = run(str(EXAMPLES / "offline.py"), str(EXAMPLES / script))
    assert [each for each in expected if each not in output] == [], output


def test_shows_how_to_test() -> None:
    """The tests that show how to test pass."""
    assert "2 passed" in run("-m", "pytest", str(EXAMPLES / "in_tests.py"), "-q", "-p", "no:cacheprovider")


def test_every_example_is_tested() -> None:
    """No example was forgotten here."""
    known = {"quickstart.py", "attribution.py", "by_hand.py", "in_tests.py", "offline.py"}
    known |= {"langchain_agent.py", "langchain_chain.py"}  # in test_examples_langchain.py
    assert {each.name for each in EXAMPLES.glob("*.py")} == known
