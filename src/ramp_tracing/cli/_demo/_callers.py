"""Making the company's calls, with each library that is installed. Only what is called is imported."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, nullcontext, suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import ramp_tracing

from ._answers import REFUSALS
from ._company import Library, Occasion

Caller = Callable[[str, str], object]
"""Calls a model with a text."""

AT: Final = "demo_at"
"""The key of the metadata that says when a call happened in the simulation, in nanoseconds since 1970."""

KEY: Final = "demo"

EMBEDDING: Final = "text-embedding"

NEEDED: Final[Mapping[Library, tuple[str, ...]]] = {
    "openai": ("openai",),
    "litellm": ("litellm",),
    "langchain": ("langchain_core", "langchain_openai"),
}
"""What has to be installed for each."""


def available_libraries() -> Mapping[Library, tuple[str, ...]]:
    """The libraries with which calls can be made here."""
    return {name: needed for name, needed in NEEDED.items() if all(find_spec(each) for each in needed)}


def call_company(occasions: Iterable[Occasion], base_urls: Mapping[str, str], *, report: Callable[[], object]) -> int:
    """
    Make every call of every occasion.

    Args:
        occasions: What is done.
        base_urls: Where each provider is.
        report: Called after each occasion, for a progress bar.

    Returns:
        How many calls were made.
    """
    callers: dict[tuple[Library, str], Caller] = {}
    made = 0
    with ExitStack() as closing:
        for occasion in occasions:
            kind = (occasion.job.library, occasion.job.at)
            if kind not in callers:
                callers[kind] = CALLERS[kind[0]](base_urls[kind[1]], closing)
            for model in occasion.job.models:
                made += 1
                _call(callers[kind], occasion, model)
            report()
    return made


def _call(caller: Caller, occasion: Occasion, model: str) -> None:
    job, payer = occasion.job, occasion.payer
    attribution: dict[str, Any] = {
        "user": payer.user,
        "session_id": f"{payer.user}-{occasion.at:%m%d}",
        "trace_id": f"demo-{occasion.number}",
        "trace_name": job.feature,
        "department": payer.department,
        "cost_center": payer.cost_center,
        "feature": job.feature,
        AT: round(occasion.at.timestamp() * 1_000) * 1_000_000,
    }
    # A model that does not exist is refused, by each library with an error of its own.
    with ramp_tracing.trace(**attribution), suppress(Exception) if model in REFUSALS else nullcontext():
        caller(model, occasion.text)


def _openai(base_url: str, closing: ExitStack) -> Caller:
    module: Any = import_module("openai")
    http = module.DefaultHttpxClient(trust_env=False)
    client = closing.enter_context(module.OpenAI(base_url=base_url, api_key=KEY, max_retries=0, http_client=http))

    def call(model: str, text: str) -> object:
        if model.startswith(EMBEDDING):
            return client.embeddings.create(model=model, input=text)
        return client.chat.completions.create(model=model, messages=_messages(text))

    return call


def _litellm(base_url: str, closing: ExitStack) -> Caller:
    module: Any = import_module("litellm")
    module.suppress_debug_info = True
    return lambda model, text: module.completion(
        model=f"openai/{model}", api_base=base_url, api_key=KEY, messages=_messages(text), max_retries=0
    )


def _langchain(base_url: str, closing: ExitStack) -> Caller:
    module: Any = import_module("langchain_openai")
    models: dict[str, Any] = {}

    def call(model: str, text: str) -> object:
        if model not in models:
            models[model] = module.ChatOpenAI(model=model, base_url=base_url, api_key=KEY, max_retries=0)
        return models[model].invoke(text)

    return call


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


CALLERS: Final[Mapping[Library, Callable[[str, ExitStack], Caller]]] = {
    "openai": _openai,
    "litellm": _litellm,
    "langchain": _langchain,
}
"""For the address of a provider, what calls it; what has to be closed goes into the stack."""
