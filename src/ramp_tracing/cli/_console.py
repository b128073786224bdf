"""Where commands write."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress

WIDTH_OF_FILES: Final = 120
"""Columns where there is no terminal: enough that no table is cut."""


def console() -> Console:
    """Standard output as it is now; colours and progress only if it is a terminal."""
    is_terminal = sys.stdout.isatty()  # said, because rich 13 takes any FORCE_COLOR, an empty one too, for a terminal
    return Console(
        width=None if is_terminal else WIDTH_OF_FILES, force_terminal=is_terminal, highlight=False, soft_wrap=False
    )


@contextmanager
def busy(what: str) -> Generator[None, None, None]:
    """On a terminal, a bar that moves while *what* goes on, for work whose size nobody knows; it leaves no trace."""
    out = console()
    with Progress(console=out, disable=not out.is_terminal, transient=True) as progress:
        progress.add_task(what, total=None)
        yield
