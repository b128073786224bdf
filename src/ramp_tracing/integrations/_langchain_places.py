"""Where a model of LangChain's sends what it is asked: found out once for each model."""

import os
from collections.abc import Mapping
from typing import Any, Final

import orjson

from .._normalizers import PARAMETERS, as_fields, numbers_in
from .._normalizers._langchain_models import LangChainModel
from .._providers import address_in, provider_at
from .._state import state

THROUGH: Final[Mapping[str, str]] = {
    "anthropic": "anthropic",
    "anthropic-bedrock": "anthropic",
    "azure": "openai",
    "deepseek": "openai",
    "google_anthropic_vertex": "anthropic",
    "litellm": "litellm",
    "openai": "openai",
}
"""LangChain's word for a provider → the library that its class sends through; that one sees every request."""

BASES: Final[Mapping[str, tuple[str, ...]]] = {
    "cohere": ("CO_API_URL",),
    "google_genai": ("GOOGLE_GEMINI_BASE_URL",),
    "groq": ("GROQ_BASE_URL",),
    "openai": ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
}
"""
LangChain's word for a provider → variables in which its client looks for an address that it was not given.

LangChain says nothing of those; of Anthropic's and OpenRouter's it does. Read by cohere 5, google-genai 1 and groq 0.
"""

SPEED, GEO = "speed", "inference_geo"
"""Of Anthropic's requests: how fast, and where in the world. Both raise the price."""

TERMS: Final = frozenset({SPEED, GEO})

MAX_PLACES: Final = 64
"""Models that are remembered: an application has a handful, or makes each of them for one call."""

MAX_FORMS: Final = 64
"""What is written of one: with each set of parameters it is something else."""

Form = tuple[Any, ...]


class Place:
    """
    Where a model sends.

    Args:
        model: What was to be asked when it was found out.
        serialized: The model, as LangChain describes it.

    Attributes:
        has_terms: The model itself asks for `TERMS`, with each request.
    """

    __slots__ = ("_forms", "_providers", "_serialized", "_word", "has_terms", "host", "port", "provider")

    def __init__(self, model: LangChainModel, serialized: Mapping[str, object]) -> None:
        self._word = model.word
        self.host, self.port = _address(model)
        self.provider = provider_at(model.provider, self.host, self.port, state.providers)
        self.has_terms = not TERMS.isdisjoint(as_fields(serialized.get("kwargs")))
        self._serialized = serialized
        self._providers = state.providers
        self._forms: dict[Form, bytes] = {}

    def is_of(self, serialized: Mapping[str, object], word: object) -> bool:
        """Whether it is that of this very model, and still."""
        return self._serialized is serialized and self._word == word and self._providers is state.providers

    def written(self, model: str | None, params: Mapping[str, object], *, streamed: bool) -> bytes:
        """What a journal's line has of it, and of a request for *model* and its parameters; see `Lean`."""
        form: Form = (model, streamed)
        if not PARAMETERS.isdisjoint(params):
            form += tuple((name, value, type(value)) for name, value in numbers_in(params).items())  # 1 is not 1.0
        known = self._forms.get(form)
        return self._new_form(form) if known is None else known

    def _new_form(self, form: Form) -> bytes:
        if len(self._forms) >= MAX_FORMS:
            self._forms.clear()
        there = {"provider": self.provider, "server_address": self.host, "server_port": self.port}
        model, streamed, *numbers = form
        parameters = {name: value for name, value, _ in numbers}
        more = {"request_model": model, "streamed": streamed, "parameters": parameters}
        written = self._forms[form] = orjson.dumps({"operation": "chat", "library": "langchain", **there, **more})
        return written


class Places:
    """Places by the model that sends there: LangChain describes each once, and hands on that description."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}

    def get(self, serialized: Mapping[str, object], word: object) -> Place | None:
        """Where a model sends, if that was found out; LangChain has *word* for the provider."""
        place = self._places.get(id(serialized))
        return place if place is not None and place.is_of(serialized, word) else None

    def find(self, model: LangChainModel, serialized: Mapping[str, object]) -> Place:
        """Where a model sends. What is named to a gateway is asked each time."""
        place = Place(model, serialized)
        if serialized and model.word != "litellm":
            if len(self._places) >= MAX_PLACES:
                self._places.clear()
            self._places[id(serialized)] = place
        return place


PLACES: Final = Places()


def is_anothers(word: str | None, *, has_failed: bool) -> bool:
    """
    Whether a library below records it though it has not claimed it, or would have seen a request if there had been one.

    LiteLLM tells of every call, answers from its own cache among them, of which it announces nothing.
    """
    below = THROUGH.get(word or "")
    return below in state.installed and (has_failed or below == "litellm")


def _address(model: LangChainModel) -> tuple[str | None, int | None]:
    base = model.base_url
    if base is None:
        base = next(filter(None, map(os.environ.get, BASES.get(model.word or "", ()))), None)
    return (None, None) if base is None else address_in(base)
