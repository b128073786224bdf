"""
LiteLLM, in the SDK, the Router and the proxy: https://docs.litellm.ai/docs/observability/custom_callback

LiteLLM tells its callbacks of a call when it is over. Ours is one object per process, ``litellm_logger``; it is made
when somebody asks for it or when `instrument()` finds LiteLLM imported, because making it imports LiteLLM.
"""

import os
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from .._layers import watch_forks
from .._state import state
from ._litellm_chunks import watch_chunks
from ._patches import Patches

if TYPE_CHECKING:
    litellm_logger: Any

__all__ = ["install", "litellm_logger", "uninstall"]

NAMES_OF_CALL: Final = ("logging_obj", "litellm_logging_obj")
"""What LiteLLM's functions call the object that stands for a call. Not public; seen in 1.106 to 1.110."""


CALLING_BACK: Final[tuple[str, ...]] = (
    "litellm.integrations.",
    "litellm.litellm_core_utils.litellm_logging",
    "litellm.litellm_core_utils.logging_worker",
    "litellm.proxy.",
    "litellm.router",
    "litellm.utils",
)
"""
Whence LiteLLM calls the application's callbacks, hooks and guardrails. It sends from ``litellm.llms`` and
``litellm.main``, which are nearer to the client then.
"""

_patches: Final = Patches()


class LiteLLMLayer:
    """LiteLLM as the layer above the openai client."""

    name = "litellm"
    modules = "litellm."
    asides: tuple[str, ...] = CALLING_BACK

    def __init__(self) -> None:
        self.since: float = time.time()

    def call_of(self, frame: FrameType) -> str | None:
        """The id of the call that one of LiteLLM's frames belongs to."""
        code = frame.f_code
        for name in NAMES_OF_CALL:
            if name in code.co_varnames or name in code.co_cellvars or name in code.co_freevars:
                key = getattr(frame.f_locals.get(name), "litellm_call_id", None)
                if isinstance(key, str):
                    return key
        return None

    async def catch_up(self) -> None:
        """Wait until LiteLLM has spoken of every call of this event loop that is over."""
        from ._litellm_exit import catch_up

        await catch_up()

    def catch_up_alone(self, seconds: float) -> None:
        """Have LiteLLM speak of the calls of an event loop that is no more, for *seconds* at most."""
        from ._litellm_exit import catch_up_alone

        catch_up_alone(seconds)


def install() -> None:
    """Register the callback; LiteLLM is imported by now."""
    from ._litellm_logger import logger

    watch_forks()
    with state.hooks_lock:
        if "litellm" not in state.layers:
            state.layers["litellm"] = LiteLLMLayer()
        _patches.undo()
        watch_chunks(_patches)
        logger().register()


def uninstall() -> None:
    """Take it out of every list of LiteLLM's."""
    from ._litellm_logger import logger

    with state.hooks_lock:  # else a call that begins meanwhile would put it in again
        state.layers.pop("litellm", None)
        _patches.undo()
        logger().unregister()


def __getattr__(name: str) -> object:
    """
    The callback, by its name in this module: for ``litellm.callbacks = […]`` and for a proxy's ``config.yaml``.

    Where nothing has been instrumented yet, which in a proxy nobody can do, this does it, given a key.
    """
    if name != "litellm_logger":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._litellm_logger import logger

    if state.sink is None:
        start_by_environment()
    install()
    return logger()


def start_by_environment() -> None:
    """
    What `ramp_tracing.instrument()` does, if the environment has a key for it.

    Raises:
        ConfigurationError: The environment says something that cannot be used.
    """
    if os.environ.get("RAMP_API_KEY"):
        # By the front door, as the application would: what is above this floor is not imported from here.
        public: Any = sys.modules[__name__.partition(".")[0]]
        public.instrument()
