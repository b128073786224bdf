"""Two providers of models on 127.0.0.1: one that looks like OpenAI, one that looks like OpenRouter."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

from ..._loopback import Answer, LoopbackServer, Request, json_answer
from ._answers import NO_SUCH_MODEL, REFUSALS, REPLIES, Refusal, Reply
from ._bodies import chat_chunks, chat_completion, embeddings, refuse, response, response_events, stream

Asked = Mapping[str, object]
"""The body of a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServers:
    """
    The two providers.

    Attributes:
        openai: Costs must be computed from the tokens.
        openrouter: Says itself what a call cost.
    """

    openai: LoopbackServer
    openrouter: LoopbackServer

    @property
    def base_urls(self) -> Mapping[str, str]:
        """What to give to a client, by provider."""
        return {"openai": self.openai.url + "/v1", "openrouter": self.openrouter.url + "/api/v1"}

    @property
    def providers(self) -> Mapping[str, str]:
        """Who answers at which address: nobody could know it of 127.0.0.1."""
        return {self.openai.host: "openai", self.openrouter.host: "openrouter"}

    @property
    def call_count(self) -> int:
        """How many calls arrived at both."""
        return len(self.openai.requests) + len(self.openrouter.requests)


@contextmanager
def model_servers() -> Generator[ModelServers]:
    """Both providers, as long as the block lasts."""
    with LoopbackServer(answer_models) as openai, LoopbackServer(answer_models) as openrouter:
        yield ModelServers(openai=openai, openrouter=openrouter)


def answer_models(request: Request) -> Answer:
    """Answer a call as the provider would."""
    answer = next((route for suffix, route in ROUTES.items() if request.path.endswith(suffix)), None)
    if answer is None or request.method != "POST":
        return refuse(Refusal(status=404, type="invalid_request_error", message=f"Invalid URL ({request.path})"))
    asked = cast(Asked, request.json)
    model = str(asked.get("model"))
    if model not in REPLIES:
        return refuse(REFUSALS.get(model, NO_SUCH_MODEL))
    return answer(asked, REPLIES[model])


def _chat(asked: Asked, reply: Reply) -> Answer:
    if not asked.get("stream"):
        return json_answer(chat_completion(reply))
    options = cast(Mapping[str, object], asked.get("stream_options") or {})
    return stream(chat_chunks(reply, with_usage=bool(options.get("include_usage"))))


def _responses(asked: Asked, reply: Reply) -> Answer:
    if not asked.get("stream"):
        return json_answer(response(reply))
    return stream(response_events(reply), named=True)


def _embeddings(asked: Asked, reply: Reply) -> Answer:
    texts = asked.get("input")
    count = len(cast(list[object], texts)) if isinstance(texts, list) else 1
    return json_answer(embeddings(reply, count=count, packed=asked.get("encoding_format") == "base64"))


ROUTES: Final[Mapping[str, Callable[[Asked, Reply], Answer]]] = {
    "/chat/completions": _chat,
    "/responses": _responses,
    "/embeddings": _embeddings,
}
"""By the end of the path."""
