"""Where commands write."""

import sys
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

WIDTH_OF_FILES: Final = 120
"""Columns where there is no terminal: enough that no table is cut."""


def console() -> Console:
    """Standard output as it is now; colours and progress only if it is a terminal."""
    is_terminal = sys.stdout.isatty()  # said, because rich 13 takes any FORCE_COLOR, an empty one too, for a terminal
    return Console(
        width=None if is_terminal else WIDTH_OF_FILES, force_terminal=is_terminal, highlight=False, soft_wrap=False
    )


ACTED_UPON: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of what a terminal does something for: escapes, the order of writing, half a character, new lines."""

JOINERS: Final = frozenset("\u200c\u200d")
"""They stand in words of Persian and Hindi, and in emoji, and do nothing else."""


def plain(text: str, style: str = "") -> Text:
    """
    What somebody else has written, as it reads.

    Names of models and users come from servers and people. What a terminal would act upon is spelt out, and brackets
    are no markup.
    """
    shown = (each if _is_shown(each) else ascii(each)[1:-1] for each in text)
    return Text("".join(shown), style=style)


def _is_shown(character: str) -> bool:
    return unicodedata.category(character) not in ACTED_UPON or character in JOINERS


@contextmanager
def busy(what: str) -> Generator[None, None, None]:
    """On a terminal, a bar that moves while *what* goes on, for work whose size nobody knows; it leaves no trace."""
    out = console()
    with Progress(console=out, disable=not out.is_terminal, transient=True) as progress:
        progress.add_task(what, total=None)
        yield
