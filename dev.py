"""
The commands of a fresh machine, which has Python 3.11 and pip and nothing else.

    python3.11 dev.py demo             set up, then run the demo; with --open, two weeks of a company and their page
    python3.11 dev.py test             set up, then run everything that CI runs
    python3.11 dev.py nox -- --list    set up, then nox itself

Everything is installed below `.tools/` and `.nox/` of this folder. Standard library only.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent
NOX: Final = "nox==2026.10.20"
VIRTUALENV: Final = "virtualenv>=20.26"

TOOLS: Final = ROOT / ".tools" / f"{NOX}-python{sys.version_info.major}.{sys.version_info.minor}"
SEED: Final = TOOLS / "seed"
PYTHON: Final = TOOLS / "env" / "bin" / "python"
READY: Final = TOOLS / "ready"

COMMANDS: Final = {
    "demo": ["--session", "demo", "--reuse-venv", "yes", "--"],
    "test": ["--no-error-on-missing-interpreters"],
    "nox": [],
}
"""
Command → arguments of nox; what follows those of the demo is its own. Interpreters newer than the one that runs this
are tested where they exist.
"""


def run(*command: object, **environment: str) -> None:
    """Run *command* in this folder; *environment* is added to that of this process."""
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, env={**os.environ, **environment})


def set_up() -> None:
    """
    Install nox, once.

    `--target` writes to a folder of ours, which a Python that the system's package manager owns allows too. Only
    virtualenv is put there, because what is on PYTHONPATH would be seen by every environment that nox makes.
    """
    if READY.exists():
        return
    run(sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", SEED, VIRTUALENV)
    run(sys.executable, "-m", "virtualenv", "--quiet", TOOLS / "env", PYTHONPATH=str(SEED))
    run(PYTHON, "-m", "pip", "install", "--quiet", NOX)
    READY.touch()


def main(words: list[str]) -> int:
    """
    Run one of the commands.

    Args:
        words: The command, then further arguments of nox, or of the demo; a ``--`` between may be there or not.

    Returns:
        The exit status of nox.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this with an older one should be told so
        sys.exit("dev.py needs Python 3.11 or newer: python3.11 dev.py test")
    if not words or words[0] not in COMMANDS:
        sys.exit(__doc__)
    command, *rest = words
    rest = rest[1:] if rest[:1] == ["--"] else rest
    try:
        set_up()
    except subprocess.CalledProcessError as error:
        sys.exit(f"setting up failed: {error}")
    return subprocess.call([str(PYTHON), "-m", "nox", *COMMANDS[command], *rest], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
