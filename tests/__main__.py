"""
`python -m tests`: pytest with these arguments; what failed beside others runs once more, alone. noxfile.py asks for it.

A test that passes alone is unsteady: a bug of ours, named loudly, which costs no release. So does CPython's ``regrtest
--rerun``.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

AT_MOST: Final = 3
"""More tests that fail are no accident."""

TESTS_FAILED: Final = 1
"""Pytest's exit status where all tests ran and some failed; another one says that they did not all run."""

UNSTEADY: Final = Path(__file__).parents[1] / "test-output" / "unsteady.txt"
"""The names of those that passed alone; noxfile.py says them once more at the very end."""


def main(arguments: Sequence[str]) -> int:
    """
    Run the tests.

    Args:
        arguments: Of pytest.

    Returns:
        Pytest's exit status, that of the second run if there is one.
    """
    with TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "pytest", *arguments, f"--override-ini=cache_dir={cache}"]
        status = subprocess.call(command)
        failed = failed_in(Path(cache))
        if status != TESTS_FAILED or not 0 < len(failed) <= AT_MOST:
            return status
        say(f"failed beside others, now once more, alone: {', '.join(failed)}")
        again = subprocess.call([*command, "--numprocesses=0", "--last-failed"])
        if again == 0 and failed_in(Path(cache)):
            return status  # pytest passed, but without having found the tests that failed
    if again == 0:
        say(f"UNSTEADY: failed beside others, passed alone: {', '.join(failed)}")
        note(failed)
    return again


def failed_in(cache: Path) -> list[str]:
    """The names of the tests that failed, as pytest keeps them for ``--last-failed``."""
    kept = cache / "v" / "cache" / "lastfailed"
    return sorted(json.loads(kept.read_text())) if kept.exists() else []


def note(failed: Sequence[str]) -> None:
    """Add their names to the file of unsteady tests."""
    UNSTEADY.parent.mkdir(exist_ok=True)
    with UNSTEADY.open("a") as file:
        file.writelines(f"{each}\n" for each in failed)


def say(text: str) -> None:
    """Print so that it is not overlooked."""
    print(f"\n{'!' * 120}\n{text}\n{'!' * 120}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
