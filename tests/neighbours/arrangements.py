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
    def without_us(self) -> str:
        """The one of `ALONE` that is the same without us. What has been switched off need not be gone."""
        if "theirs" not in self.steps:
            return "neither"
        return "theirs, off" if "-theirs" in self.steps else "theirs"


ALONE: Final[Mapping[str, Arrangement]] = {
    "neither": Arrangement(steps=()),
    "ours": Arrangement(steps=("ours",)),
    "ours, asking": Arrangement(steps=("ours",), asks=True),
    "theirs": Arrangement(steps=("theirs",)),
    "theirs, off": Arrangement(steps=("theirs", "-theirs")),
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
