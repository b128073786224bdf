"""What an answer says, before it becomes part of a `Generation`."""

from typing import Any, Final

from .._dataclass import dataclass
from ._cost import Cost
from ._drafts import Drafts
from ._generation import Failure, Generation, UnixNanos
from ._usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What a normalizer read from an answer; everything it could not read is `None`.

    Attributes:
        response_id: The provider's id.
        response_model: The model that answered.
        finish_reasons: One per choice, as answered.
        native_finish_reason: What the upstream provider said, where a router translated it.
        service_tier: The tier it was served in.
        inference_geo: Where in the world it was served, where the answer says so: ``global``, ``us``.
        upstream_provider: Who served it, where a router says so.
        usage: What was used.
        cost: What the answer itself says it cost.
        pending: The job goes on; its usage comes with a later answer.
        job: The answer tells of paid work that goes on after it: a batch, a video, a background response.
        failure: An error inside an answer.
        output: What was answered, JSON-like.
        complete: False while a stream has not said that it is at its end.
        created: When the job was created, by the provider's word.
        ended: When it came to its end, likewise.
        usage_file: The file that says what the job used, where the job itself does not.
        page: The jobs that a list tells of; then the rest says nothing.
    """

    response_id: str | None = None
    response_model: str | None = None
    finish_reasons: tuple[str, ...] = ()
    native_finish_reason: str | None = None
    service_tier: str | None = None
    inference_geo: str | None = None
    upstream_provider: str | None = None
    usage: Usage = Usage()
    cost: Cost | None = None
    pending: bool = False
    job: bool = False
    failure: Failure | None = None
    output: object = None
    complete: bool = True
    created: UnixNanos | None = None
    ended: UnixNanos | None = None
    usage_file: str | None = None
    page: "tuple[Outcome, ...]" = ()


NOTHING_READ = Outcome(complete=False)
"""The outcome of an answer that never came or could not be read."""


def answer(made: Any, outcome: Outcome) -> None:
    """Put what an answer says into a record that is being made; *made* has the cost that a gateway has told already."""
    made.upstream_provider = outcome.upstream_provider
    made.response_model = outcome.response_model
    made.response_id = outcome.response_id
    made.finish_reasons = outcome.finish_reasons
    made.native_finish_reason = outcome.native_finish_reason
    made.service_tier = outcome.service_tier
    made.inference_geo = outcome.inference_geo
    made.usage = outcome.usage
    made.pending = outcome.pending
    made.failure = outcome.failure
    if outcome.cost is not None:
        made.cost = outcome.cost
    elif outcome.job or outcome.pending:  # the gateway cannot know yet
        made.cost = None


GENERATIONS: Final = Drafts(Generation)


def answered_by(known: Generation, outcome: Outcome) -> Generation:
    """*known* with what its answer says."""
    made = GENERATIONS.copy(known)
    answer(made, outcome)
    return GENERATIONS.end(made)
