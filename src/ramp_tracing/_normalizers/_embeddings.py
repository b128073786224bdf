"""Embeddings (https://platform.openai.com/docs/api-reference/embeddings) and moderations: a model and perhaps usage."""

from collections.abc import Mapping
from typing import Final

from .._record import Outcome
from ._failures import error_in
from ._formats import WireFormat
from ._lean_embeddings import lean_embeddings, without_vectors
from ._native_usage import usage_in
from ._openai_usage import read_usage
from ._plain import PlainAccumulator
from ._reading import as_name, dig, with_members
from ._reported_cost import read_cost
from ._service_tier import service_tier_in


def content(body: Mapping[str, object]) -> object:
    """The texts."""
    return {"input": body.get("input")}


def read(answer: object) -> Outcome:
    """What the answer says; vectors and scores are not content."""
    answer = with_members(answer)
    usage = with_members(usage_in(answer))
    return Outcome(
        response_id=as_name(dig(answer, "id")),
        response_model=as_name(dig(answer, "model")),
        service_tier=service_tier_in(answer, usage),
        inference_geo=as_name(dig(usage, "inference_geo")),
        upstream_provider=as_name(dig(answer, "provider")),
        usage=read_usage(usage),
        cost=read_cost(usage),
        failure=error_in(answer),
    )


EMBEDDINGS: Final = WireFormat(
    content=content,
    read=read,
    accumulator=PlainAccumulator.folding(read),
    kept=without_vectors,
    name="embeddings",
    lean=lean_embeddings,
)
MODERATIONS: Final = WireFormat(content=content, read=read, accumulator=PlainAccumulator.folding(read))
