"""What a run of LangChain's is called in Ramp's terms."""

from collections.abc import Sequence
from typing import Final

MACHINERY: Final = ("Runnable", "ChatPromptTemplate", "PromptTemplate", "_")
"""How the names of runs begin that only say which class of LangChain's puts others together."""


def names_of(above: Sequence[str | None], own: str | None = None) -> tuple[str | None, str | None]:
    """
    The names of the trace and of the level between it and a call.

    Args:
        above: The names of the runs above the call, the nearest first; the last is the root's.
        own: The call's own name, which what only asks a model again (``with_retry``) has, too.

    Returns:
        The root's name, and the nearest one below it that a person has chosen or would recognise.
    """
    root = above[-1] if above else None
    return root, next((name for name in above[:-1] if name and name != own and not name.startswith(MACHINERY)), None)
