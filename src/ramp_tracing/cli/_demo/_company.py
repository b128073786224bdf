"""A small fictional company, and what it asks models for in a fortnight. All of it is invented."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from ._steps import Payer

Library = Literal["openai", "litellm", "langchain"]
"""With which a job calls models."""

Provider = Literal["openai", "openrouter"]
"""Whom a job calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    Something that the company does with models.

    Attributes:
        feature: Its name in the company's product.
        people: Who does it.
        models: The calls that it makes, one after the other, in one trace.
        texts: What is asked; one of them each time.
        library: With which the calls are made.
        at: Whom they go to.
        a_day: How often on a working day; at weekends a fifth of it.
    """

    feature: str
    people: tuple[Payer, ...]
    models: tuple[str, ...]
    texts: tuple[str, ...]
    library: Library = "openai"
    at: Provider = "openai"
    a_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """
    A job, done once.

    Attributes:
        number: Counts up.
        job: Which.
        payer: By whom.
        text: What is asked.
        at: When, in the simulation.
    """

    number: int
    job: Job
    payer: Payer
    text: str
    at: datetime


MARKETING: Final = tuple(Payer(user=name, department="marketing", cost_center="CC-2001") for name in ("ana", "noor"))
SUPPORT: Final = tuple(
    Payer(user=name, department="support", cost_center="CC-3040") for name in ("ben", "ingrid", "tomás")
)
FINANCE: Final = tuple(Payer(user=name, department="finance", cost_center="CC-1234") for name in ("chloe", "emeka"))
ENGINEERING: Final = tuple(Payer(user=name, department="engineering", cost_center="CC-4100") for name in ("dana", "li"))

JOBS: Final = (
    Job(
        feature="Receipt check",
        people=FINANCE,
        models=("gpt-4o-mini", "gpt-4o"),
        texts=("Are these receipts within policy?", "Which of these dinners need an approval?"),
        a_day=6,
    ),
    Job(
        feature="Parcel answers",
        people=SUPPORT,
        models=("text-embedding-3-small", "gpt-4.1-mini"),
        texts=("Where is my parcel?", "How do I return it?", "When do you open?"),
        a_day=8,
    ),
    Job(
        feature="Contract reading",
        people=FINANCE,
        models=("gpt-4.1",),
        texts=("When does it renew?", "What does it cost us to end it?"),
        library="langchain",
        a_day=3,
    ),
    Job(
        feature="Cash forecast",
        people=FINANCE,
        models=("o4-mini",),
        texts=("How long will the cash last?",),
        a_day=2,
    ),
    Job(
        feature="Campaign drafts",
        people=MARKETING,
        models=("anthropic/claude-sonnet-4.5",),
        texts=("Three subject lines, please.", "Shorter, and without the pun."),
        at="openrouter",
        a_day=4,
    ),
    Job(
        feature="Code review",
        people=ENGINEERING,
        models=("gpt-4o",),
        texts=("What can go wrong here?",),
        library="litellm",
        a_day=5,
    ),
    Job(
        feature="Ledger watch",
        people=FINANCE,
        models=("deepseek/deepseek-chat-v3.1",),
        texts=("Anything odd last week?",),
        at="openrouter",
        a_day=1,
    ),
    Job(
        feature="Expense categories",
        people=FINANCE,
        models=("house-model-7b",),
        texts=("Which category is a train ticket?",),
        a_day=2,
    ),
    Job(
        feature="Experiments",
        people=ENGINEERING,
        models=("gpt-4o-maxi",),
        texts=("Are you there?",),
        a_day=1,
    ),
)
"""A model without a price and one that does not exist are among them: both happen."""

DAYS: Final = 14

SATURDAY: Final = 5

WEEKEND: Final = 0.2
"""Of what is done on a working day."""

OPENING: Final = timedelta(hours=8)

HOURS_OPEN: Final = 10.5


def fortnight(now: datetime, *, available: Mapping[Library, object]) -> list[Occasion]:
    """
    What the company does in the two weeks before *now*, oldest first.

    Args:
        now: Where it ends.
        available: The libraries that are installed; jobs that use another one use openai.
    """
    moments = sorted(_moments(now), key=lambda moment: moment[0])
    dice = random.Random(14)
    return [
        Occasion(number=number, job=job, payer=dice.choice(job.people), text=dice.choice(job.texts), at=at)
        for number, (at, job) in enumerate(moments, start=1)
        if job.library in available
    ]


def _moments(now: datetime) -> Iterator[tuple[datetime, Job]]:
    dice = random.Random(7)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for ago in range(DAYS):
        day = today - timedelta(days=ago)
        share = WEEKEND if day.weekday() >= SATURDAY else 1.0
        for job in JOBS:
            for _ in range(round(job.a_day * share * dice.uniform(0.6, 1.5))):
                at = day + OPENING + timedelta(hours=dice.uniform(0, HOURS_OPEN))
                if at < now:
                    yield at, job
