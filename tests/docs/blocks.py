"""
The fenced blocks of the documents, and what an HTML comment before one of them, which no reader sees, says of it.

    <!-- test: sends 1, team=billing -->  one call is reported, and with this metadata; without the word, none is
    <!-- test: given acme -->             a name that the reader has of their own (`GIVEN` in stage.py)
    <!-- test: needs litellm -->          where that is not installed, the block is compiled only
    <!-- test: without RAMP_API_KEY -->   a variable that this reader does not have
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

BLOCK: Final = re.compile(
    r"(?:^<!-- test: (?P<note>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    A fenced block.

    Attributes:
        line: How many lines of the page stand before its text.
        sends: How many calls it reports.
        metadata: What each of them carries.
        given: The names that the reader has.
        needs: Modules without which it is compiled only.
        without: Variables that are not set while it runs.
    """

    page: Path
    line: int
    language: str
    text: str
    sends: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return all(find_spec(name) for name in self.needs)

    def compiled(self) -> Any:
        """Its code, with the lines of the page in its tracebacks."""
        return compile("\n" * self.line + self.text, str(self.page), "exec")


def expectations(note: str) -> dict[str, Any]:
    """What the comment before a block says."""
    found: dict[str, Any] = {"metadata": {}}
    for part in filter(None, note.split(", ")):
        word, _, rest = part.partition(" ")
        if word == "sends":
            found["sends"] = int(rest)
        elif word in ("given", "needs", "without"):
            found[word] = tuple(rest.split())
        else:
            key, equals, value = part.partition("=")
            assert equals, f"nobody knows what this asks for: {part}"
            found["metadata"][key] = value
    return found


def blocks(page: Path, *languages: str) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            line=text[: each.start("text")].count("\n"),
            language=each["language"],
            text=each["text"],
            **expectations(each["note"] or ""),
        )
        for each in BLOCK.finditer(text)
        if not languages or each["language"] in languages
    ]


def lines(page: Path) -> list[list[str]]:
    """The commands that a page shows, without comments."""
    shown = "".join(each.text for each in blocks(page, "console")).splitlines()
    return list(filter(None, (shlex.split(line, comments=True) for line in shown)))
