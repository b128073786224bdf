"""What the application does, whoever watches: each a scenario that the sync and the async client play."""

import gc
import importlib.util
import urllib.request
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import openai
import pydantic

from ramp_tracing._loopback import Answer, json_answer

from ..integrations.colours import Colour
from ..integrations.provider import chat_like_openai, completion, in_turn
from ..integrations.scenarios import Scenario

ASK: Final[Mapping[str, Any]] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
WITH_USAGE: Final[Mapping[str, Any]] = {**ASK, "stream": True, "stream_options": {"include_usage": True}}
SPOKEN: Final[Mapping[str, Any]] = {"model": "gpt-4o", "input": "Hello?"}


class Greeting(pydantic.BaseModel):
    text: str


def chat(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.create(**ASK))


def with_options(colour: Colour, client: Any) -> Any:
    return chat(colour, client.with_options(timeout=30))


def stream(colour: Colour, client: Any) -> Any:
    pieces = colour.wait(client.chat.completions.create(**WITH_USAGE))
    return [isinstance(pieces, openai.Stream | openai.AsyncStream), colour.items(pieces)]


def stream_without_usage(colour: Colour, client: Any) -> Any:
    pieces = colour.wait(client.chat.completions.create(**ASK, stream=True))
    return [type(pieces).__name__, colour.items(pieces)]


def left_stream(colour: Colour, client: Any) -> Any:
    """The loop is left, and the stream with it."""
    with colour.entered(colour.wait(client.chat.completions.create(**WITH_USAGE))) as pieces:
        return colour.broken_off(pieces, 2)


def closed_stream(colour: Colour, client: Any) -> Any:
    pieces = colour.wait(client.chat.completions.create(**WITH_USAGE))
    seen = colour.take(pieces, 2)
    colour.wait(pieces.close())
    return seen


def dropped_stream(colour: Colour, client: Any) -> Any:
    """The loop is left, and the stream forgotten."""
    seen = colour.broken_off(colour.wait(client.chat.completions.create(**WITH_USAGE)), 2)
    gc.collect()
    return seen


def stream_helper(colour: Colour, client: Any) -> Any:
    with colour.entered(client.chat.completions.stream(**ASK, stream_options={"include_usage": True})) as events:
        return [each.type for each in colour.items(events)]


def raw(colour: Colour, client: Any) -> Any:
    response = colour.wait(client.chat.completions.with_raw_response.create(**ASK))
    return [type(response).__name__, response.status_code, response.headers["content-type"], response.parse()]


def raw_stream(colour: Colour, client: Any) -> Any:
    response = colour.wait(client.chat.completions.with_raw_response.create(**WITH_USAGE))
    return [type(response).__name__, response.headers["content-type"], colour.items(response.parse())]


def streaming_response(colour: Colour, client: Any) -> Any:
    with colour.entered(client.chat.completions.with_streaming_response.create(**ASK)) as response:
        return [type(response).__name__, colour.wait(response.parse())]


def streaming_response_lines(colour: Colour, client: Any) -> Any:
    with colour.entered(client.chat.completions.with_streaming_response.create(**ASK)) as response:
        return colour.items(response.iter_lines())


def completed(colour: Colour, client: Any) -> Any:
    return colour.wait(client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Hello?"))


def responded(colour: Colour, client: Any) -> Any:
    return colour.wait(client.responses.create(**SPOKEN))


def responded_stream(colour: Colour, client: Any) -> Any:
    return [each.type for each in colour.items(colour.wait(client.responses.create(**SPOKEN, stream=True)))]


def embedded(colour: Colour, client: Any) -> Any:
    return colour.wait(client.embeddings.create(model="text-embedding-3-small", input="Hello?"))


def parsed(colour: Colour, client: Any) -> Any:
    return colour.wait(client.chat.completions.parse(**ASK, response_format=Greeting)).choices[0].message.parsed.text


def listed(colour: Colour, client: Any) -> Any:
    """Free of charge."""
    return colour.items(client.models.list())


def with_own_http(colour: Colour, client: Any) -> Any:
    """The application's own HTTP client, of whichever library the openai client is built on."""
    http = importlib.import_module("httpx2" if int(openai.__version__.partition(".")[0]) >= 3 else "httpx")
    kind = http.Client if colour.name == "sync" else http.AsyncClient
    return chat(colour, colour.client(colour.provider.base_url, http_client=kind(headers={"x-own": "1"})))


def other_http_clients(colour: Colour, client: Any) -> Any:
    """What the application asks for with those that it has, of somebody else."""
    url = f"{colour.provider.base_url}/models"
    with urllib.request.urlopen(url) as answer:
        statuses = [answer.status]
    if importlib.util.find_spec("requests"):
        statuses.append(importlib.import_module("requests").get(url).status_code)
    if importlib.util.find_spec("urllib3"):
        statuses.append(importlib.import_module("urllib3").request("GET", url).status)
    return statuses


one_after_the_other = partial(in_turn, "/chat/completions")


def refused(status: int) -> Answer:
    """The client tries again soon where it does."""
    error = {"message": "No.", "type": "requests", "param": None, "code": "refused"}
    return json_answer({"error": error}, status=status, headers={"retry-after-ms": "1"})


def said(text: str, finish: str = "stop") -> Answer:
    message = {"role": "assistant", "content": text}
    return json_answer(completion(choices=[{"index": 0, "finish_reason": finish, "message": message}]))


RETRIES: Final = {"max_retries": 2}

CALLS: Final[Mapping[str, Scenario]] = {
    "chat": Scenario(call=chat),
    "with_options": Scenario(call=with_options),
    "stream": Scenario(call=stream),
    "stream without usage": Scenario(call=stream_without_usage),
    "stream, left": Scenario(call=left_stream, leaves=True),
    "stream, closed": Scenario(call=closed_stream, leaves=True),
    "stream, dropped": Scenario(call=dropped_stream, leaves=True),
    "stream helper": Scenario(call=stream_helper),
    "raw response": Scenario(call=raw),
    "raw stream": Scenario(call=raw_stream, leaves=True),
    "streaming response": Scenario(call=streaming_response),
    "streaming response, lines": Scenario(call=streaming_response_lines),
    "completions": Scenario(call=completed),
    "responses": Scenario(call=responded),
    "responses stream": Scenario(call=responded_stream),
    "embeddings": Scenario(call=embedded),
    "parse": Scenario(call=parsed, answers=one_after_the_other(said('{"text": "Hello."}'))),
    "parse, cut": Scenario(call=parsed, answers=one_after_the_other(said('{"text": "Hel', "length"))),
    "429 for ever": Scenario(call=chat, answers=one_after_the_other(refused(429)), options=RETRIES),
    "429 once": Scenario(call=chat, answers=one_after_the_other(refused(429), chat_like_openai), options=RETRIES),
    "400": Scenario(call=chat, answers=one_after_the_other(refused(400))),
    "no server": Scenario(call=chat, options={"base_url": "http://127.0.0.1:9/v1"}),
    "own HTTP client": Scenario(call=with_own_http),
    "models": Scenario(call=listed),
    "other HTTP clients": Scenario(call=other_http_clients),
}
