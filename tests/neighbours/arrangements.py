"""Who is switched on and off in which order, before the application makes its calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Step = Literal["ours", "theirs", "-ours", "-theirs"]
"""Somebody comes, or goes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """
    Attributes:
        steps: What happens, in this order. A call is made after each step.
        asks: Whether we ask streams for their usage, as we do of OpenAI.
    """

    steps: tuple[Step, ...]
    asks: bool = False

    @property
    def ours(self) -> bool:
        """Whether we are there when the calls are made."""
        return "ours" in self.steps and "-ours" not in self.steps

    @property
    def theirs(self) -> bool:
        """Whether they are."""
        return "theirs" in self.steps and "-theirs" not in self.steps


ALONE: Final[Mapping[str, Arrangement]] = {
    "neither": Arrangement(steps=()),
    "ours": Arrangement(steps=("ours",)),
    "ours, asking": Arrangement(steps=("ours",), asks=True),
    "theirs": Arrangement(steps=("theirs",)),
}
"""What the others are compared with."""

TOGETHER: Final[Mapping[str, Arrangement]] = {
    "theirs, ours": Arrangement(steps=("theirs", "ours")),
    "ours, theirs": Arrangement(steps=("ours", "theirs")),
    "theirs, ours, asking": Arrangement(steps=("theirs", "ours"), asks=True),
    "ours, theirs, asking": Arrangement(steps=("ours", "theirs"), asks=True),
    "theirs, ours, ours off": Arrangement(steps=("theirs", "ours", "-ours")),
    "ours, theirs, ours off": Arrangement(steps=("ours", "theirs", "-ours")),
    "theirs, ours, theirs off": Arrangement(steps=("theirs", "ours", "-theirs")),
    "ours, theirs, theirs off": Arrangement(steps=("ours", "theirs", "-theirs")),
}

ARRANGEMENTS: Final = {**ALONE, **TOGETHER}
