"""The configuration of LangChain's that is in force here: what a chain, a tool or a node hands down to all it asks."""

import sys
from collections.abc import Mapping
from typing import Any, Final, cast

from .._normalizers import configured_attribution
from .._record import NOBODY, Attribution

CONFIG: Final = "langchain_core.runnables.config"


def config_here() -> Mapping[str, Any]:
    """It; an empty one outside of any run, and for the run that an application itself begins."""
    variable = getattr(sys.modules.get(CONFIG), "var_child_runnable_config", None)
    config = None if variable is None else variable.get()
    return cast("dict[str, Any]", config) if isinstance(config, dict) else NOTHING


def configured_here() -> Attribution:
    """
    Who a call that starts here is for, by what is ``configurable``, where memories look for a conversation and a user.

    LangChain (core 1.8) hands none of that down as metadata, LangGraph (1.2) ``thread_id`` alone.
    """
    configurable = config_here().get("configurable")
    return configured_attribution(cast("dict[str, object]", configurable)) if type(configurable) is dict else NOBODY


NOTHING: Final[Mapping[str, Any]] = {}
