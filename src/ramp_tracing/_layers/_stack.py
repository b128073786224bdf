"""Which layer stands above a call that starts here: the frames of its modules say so."""

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Final

from .._state import Layer, state

MAX_FRAMES: Final = 12
"""How far up the layer is looked for: LiteLLM is two to five frames above the client."""

ASKING_FRAMES: Final = 3
"""From `layer_above` to who calls `sink_under`."""

OWN_FRAMES: Final = 5
"""Ours, between the client's function and who asks."""


def layer_above() -> tuple[Layer, str | None] | None:
    """
    The layer on the stack whose frame names the call it makes, and its id of that call.

    Returns:
        The layer without an id where no frame of any layer names a call; `None` where no layer is on the stack, or
        only because it calls back into the application.
    """
    nameless, layers = None, [*state.layers.values()]
    frame: FrameType | None = sys._getframe(ASKING_FRAMES)  # pyright: ignore[reportPrivateUsage]
    for _ in range(MAX_FRAMES + OWN_FRAMES - ASKING_FRAMES):  # `frames_above` costs half as much again
        if frame is None:
            break
        module = frame.f_globals.get("__name__")
        for layer in layers:
            if type(module) is str and module.startswith(layer.modules):
                if nameless is None and module.startswith(layer.asides):
                    return None
                nameless = layer
                key = layer.call_of(frame)
                if key is not None:
                    return layer, key
        frame = frame.f_back
    return None if nameless is None else (nameless, None)


def frames_above(limit: int = MAX_FRAMES + OWN_FRAMES) -> Iterator[FrameType]:
    """The frames above who iterates, the nearest first, as far as a layer is looked for."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] - `inspect` costs a thousand times more
    for _ in range(limit):
        if frame.f_back is None:
            return
        frame = frame.f_back
        yield frame
