"""Where commands write."""

import sys
from typing import Final

from rich.console import Console

WIDTH_OF_FILES: Final = 120
"""Columns where there is no terminal: enough that no table is cut."""


def console() -> Console:
    """Standard output as it is now; colours and progress only if it is a terminal."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES, highlight=False, soft_wrap=False)
