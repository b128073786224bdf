"""A chat model that somebody has written for a server of their own: no library that is watched is on its way."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

pytest.importorskip("langchain_core")
import httpx
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult


class HouseModel(BaseChatModel):
    """Posts with httpx."""

    url: str

    @property
    def _llm_type(self) -> str:
        return "house"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        with httpx.Client(verify=False) as http:
            return _house_result(http.post(**self._request(messages)).raise_for_status().json())

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        async with httpx.AsyncClient(verify=False) as http:
            return _house_result((await http.post(**self._request(messages))).raise_for_status().json())

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        request = self._request(messages, stream=True)
        with httpx.Client(verify=False) as http, http.stream("POST", **request) as answer:
            for line in answer.raise_for_status().iter_lines():
                yield _house_chunk(httpx.Response(200, text=line).json())

    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        request = self._request(messages, stream=True)
        async with httpx.AsyncClient(verify=False) as http, http.stream("POST", **request) as answer:
            async for line in answer.raise_for_status().aiter_lines():
                yield _house_chunk(httpx.Response(200, text=line).json())

    def _request(self, messages: list[BaseMessage], **more: Any) -> dict[str, Any]:
        return {"url": f"{self.url}/own", "json": {"model": "house-1", "text": messages[-1].content, **more}}


def _house_result(answer: Any) -> ChatResult:
    message = AIMessage(answer["text"], id=answer["id"], usage_metadata=_house_usage(answer))
    return ChatResult(generations=[ChatGeneration(message=message)])


def _house_chunk(piece: Any) -> ChatGenerationChunk:
    usage = _house_usage(piece) if "input" in piece else None
    return ChatGenerationChunk(message=AIMessageChunk(piece["text"], usage_metadata=usage))


def _house_usage(answer: Any) -> Any:
    total = answer["input"] + answer["output"]
    return {"input_tokens": answer["input"], "output_tokens": answer["output"], "total_tokens": total}
