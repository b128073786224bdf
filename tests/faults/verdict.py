"""What a row comes to: the application's ledger against the receiver's tally."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .stage import Stage
from .tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """
    What may come again, always under the same id.

    Attributes:
        repeats: Records that may be taken twice; any number if `None`.
        regroups: Whether they may come in another request than before. They do where a record is sent without the
            content that a dead process had, and where a request is taken apart.
    """

    repeats: int | None = 0
    regroups: bool = False


NOTHING_AGAIN: Final = Allowance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    The figures of one row.

    Attributes:
        sent: Calls that returned to the application.
        received: Those of them that the receiver took.
        again: How often it took one that it had.
        regrouped: How many of those came in a request that was not the earlier one byte for byte.
        lost: Calls that are neither at the receiver nor anywhere on the disk.
        dead: Calls that are among the dead letters only.
        exit_seconds: How long the end of the application took; `None` if it was cut short.
        reasons: What is wrong with it, in words; empty if it is as it must be.
    """

    sent: int = 0
    received: int = 0
    again: int = 0
    regrouped: int = 0
    lost: int = 0
    dead: int = 0
    exit_seconds: float | None = None
    reasons: Sequence[str] = ()


def outcome_of(
    scene: Stage, allowance: Allowance = NOTHING_AGAIN, *, exit_seconds: float | None, reasons: Sequence[str] = ()
) -> Outcome:
    """
    Compare.

    Args:
        scene: Where it happened.
        allowance: What may come again.
        exit_seconds: How long the end of the application took.
        reasons: What is wrong already.
    """
    tally, returned, dead = scene.receiver.tally, scene.returned(), scene.dead()
    taken = tally.taken
    waiting = (returned & scene.on_disk()) - taken - dead
    lost = returned - taken - dead - waiting
    wrong = [
        *reasons,
        *_if(lost, f"{len(lost)} lost"),
        *_if(waiting, f"{len(waiting)} still wait"),
        *_if(not returned, "the application made no calls"),
        *_unneeded(tally, allowance),
        *_broken_words(tally),
        *scene.leaks(),
    ]
    return Outcome(
        sent=len(returned),
        received=len(returned & taken),
        again=tally.repeats,
        regrouped=tally.regrouped,
        lost=len(lost),
        dead=len((returned & dead) - taken),
        exit_seconds=exit_seconds,
        reasons=wrong,
    )


def _unneeded(tally: Tally, allowance: Allowance) -> Sequence[str]:
    many = allowance.repeats is not None and tally.repeats > allowance.repeats
    return [
        *_if(many, f"{tally.repeats} came again without need"),
        *_if(tally.regrouped and not allowance.regroups, f"{tally.regrouped} came again in another request"),
    ]


def _broken_words(tally: Tally) -> Sequence[str]:
    """What must not be, whatever the receiver did."""
    return [
        *_if(tally.new_ids, f"{len(tally.new_ids)} came under a second id"),
        *_if(tally.shared_ids, f"{tally.shared_ids} under the id of another"),
        *_if(tally.wrong_money, f"{len(tally.wrong_money)} with wrong numbers, {tally.wrong_money[:1]}"),
        *dict.fromkeys(tally.complaints),
    ]


def _if(condition: object, reason: str) -> Sequence[str]:
    return [reason] if condition else []
