import os
from collections.abc import Callable, Iterator

import pytest

from ramp_tracing._delivery import Pipeline
from ramp_tracing._guard import log

from .records import config_for

PipelineMaker = Callable[..., Pipeline]


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test may have said the same within the minute."""
    monkeypatch.setattr(log, "_next", {})


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tests run, there may be one."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def pipeline_for() -> Iterator[PipelineMaker]:
    """Makes pipelines to a URL, and ends them."""
    made: list[Pipeline] = []

    def make(url: str, **options: object) -> Pipeline:
        made.append(Pipeline(config_for(url, **options), linger_seconds=0.05))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.shutdown(0)
