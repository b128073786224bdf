"""What the application does with LangChain's `ChatOpenAI`; the openai client is below it."""

from collections.abc import Mapping
from typing import Any, Final

from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from ..integrations.colours import Colour
from ..integrations.scenarios import Scenario
from .openai_calls import one_after_the_other, refused, said

QUESTION: Final = "Hello?"


class Greeting(BaseModel):
    text: str


def model(colour: Colour, **options: Any) -> Any:
    given = {"model": "gpt-4o", "api_key": "sk-test", "max_retries": 0, **options}
    return ChatOpenAI(base_url=colour.provider.base_url, **given)


def asked(colour: Colour, runnable: Any, question: Any = QUESTION) -> Any:
    if colour.name == "sync":
        return runnable.invoke(question)
    return colour.wait(runnable.ainvoke(question))


def shown(message: Any) -> Any:
    return [type(message).__name__, message.content, message.usage_metadata]


def invoked(colour: Colour, client: Any) -> Any:
    return shown(asked(colour, model(colour)))


def streamed(colour: Colour, client: Any) -> Any:
    streaming = model(colour, stream_usage=True)
    pieces = streaming.stream(QUESTION) if colour.name == "sync" else streaming.astream(QUESTION)
    return [shown(each) for each in colour.items(pieces)]


def batched(colour: Colour, client: Any) -> Any:
    """One at a time, so that they come in one order."""
    questions, config = [QUESTION, QUESTION], {"max_concurrency": 1}
    if colour.name == "sync":
        return [shown(each) for each in model(colour).batch(questions, config)]
    return [shown(each) for each in colour.wait(model(colour).abatch(questions, config))]


def responded(colour: Colour, client: Any) -> Any:
    return shown(asked(colour, model(colour, use_responses_api=True)))


def chained(colour: Colour, client: Any) -> Any:
    chain = (RunnableLambda(lambda words: f"{words}!") | model(colour)).with_config(run_name="chain", tags=["billing"])
    return shown(asked(colour, chain))


def structured(colour: Colour, client: Any) -> Any:
    return asked(colour, model(colour).with_structured_output(Greeting, method="json_schema")).text


def embedded(colour: Colour, client: Any) -> Any:
    options: dict[str, Any] = {"api_key": "sk-test", "check_embedding_ctx_length": False}
    embeddings = OpenAIEmbeddings(base_url=colour.provider.base_url, **options)
    if colour.name == "sync":
        return embeddings.embed_query(QUESTION)
    return colour.wait(embeddings.aembed_query(QUESTION))


CALLS: Final[Mapping[str, Scenario]] = {
    "invoke": Scenario(call=invoked),
    "stream": Scenario(call=streamed),
    "batch": Scenario(call=batched),
    "responses": Scenario(call=responded),
    "chain": Scenario(call=chained),
    "structured output": Scenario(call=structured, answers=one_after_the_other(said('{"text": "Hello."}'))),
    "structured output, cut": Scenario(call=structured, answers=one_after_the_other(said('{"text": "Hel', "length"))),
    "400": Scenario(call=invoked, answers=one_after_the_other(refused(400))),
    "embeddings": Scenario(call=embedded),
}
