"""
The faults, each alone, one row each.

Times are some seconds where a real outage takes minutes: long enough for several tries.
"""

from dataclasses import replace
from typing import Final

from . import conducts
from .conducts import WELL, Conduct
from .poison import ODD_NUMBERS, POISONS
from .program import Ending, Program, Way
from .receiver import Phase
from .run import Fault
from .verdict import NOTHING_AGAIN, Allowance

BATCH: Final = 50
"""Records in a request, unless the program says otherwise. As many may be under way when a process is killed."""

IMPATIENT: Final = {"timeout_seconds": 1.0}
"""For receivers that hang: the default of ten seconds makes no difference but time."""

BURST: Final = {"max_batch_spans": 500}
"""With 50, Ramp's limit of 200 requests in ten seconds makes 20,000 records take twenty."""


def for_seconds(seconds: float, conduct: Conduct | None) -> tuple[Phase, ...]:
    """Badly for so long, then well."""
    return (Phase(conduct=conduct, seconds=seconds), Phase(conduct=WELL))


def for_requests(requests: int, conduct: Conduct) -> tuple[Phase, ...]:
    """Badly for so many requests, then well."""
    return (Phase(conduct=conduct, requests=requests), Phase(conduct=WELL))


def until_exit(conduct: Conduct | None) -> tuple[Phase, ...]:
    """Badly until the application has ended."""
    return (Phase(conduct=conduct),)


def killed_with(batches: int) -> Allowance:
    """So many requests are under way when their process is killed; its successor does not have their content."""
    return Allowance(repeats=batches * BATCH, regroups=batches > 0)


ENDED_UNANSWERED: Final = killed_with(1)

STEADY: Final = Program(records=250, per_second=50)
LONGER: Final = replace(STEADY, records=500)
"""Long enough for three attempts and the pauses between them: who is sent again by the next process has no content."""

PATIENT: Final = replace(STEADY, options=IMPATIENT)
AT_ONCE: Final = Program(records=100)

OUTAGES: Final = (
    Fault(name="a down 3 s", program=STEADY, script=for_seconds(3, None)),
    Fault(name="a down 3 s, goes on", program=replace(STEADY, records=350), script=for_seconds(3, None)),
    Fault(name="a down until exit", program=replace(AT_ONCE, records=500), script=until_exit(None)),
    Fault(name="b 503, Retry-After", program=STEADY, script=for_seconds(3, conducts.BUSY_503)),
    Fault(name="b 429, Retry-After", program=STEADY, script=for_seconds(2, conducts.BUSY_429)),
    Fault(name="b 500", program=STEADY, script=for_seconds(2, conducts.status(500))),
    Fault(name="c hangs 3 s", program=PATIENT, script=for_seconds(3, conducts.HANG)),
    Fault(name="c hangs until exit", program=AT_ONCE, script=until_exit(conducts.HANG)),
)

AMBIGUITIES: Final = (
    Fault(
        name="d 503 though taken",
        program=LONGER,
        script=for_requests(3, conducts.LIAR_503),
        allowance=Allowance(repeats=3 * BATCH),
    ),
    Fault(
        name="d answer lost",
        program=LONGER,
        script=for_requests(3, conducts.LOSE_ANSWER),
        allowance=Allowance(repeats=3 * BATCH),
    ),
    Fault(
        name="d answer late",
        program=PATIENT,
        script=for_requests(2, conducts.late(1.5)),
        allowance=Allowance(repeats=2 * BATCH),
    ),
)

LOADS: Final = (
    Fault(name="e 20,000 at once", program=Program(records=20_000, options=BURST), restart_seconds=30),
    Fault(name="f exit at once", program=Program(records=10)),
    Fault(name="f eight threads", program=Program(records=100, way="threads", children=8)),
)


def _ended_by(ending: Ending, *, killed: int = 0) -> Fault:
    return Fault(name=f"g {ending}", program=Program(ending=ending), allowance=killed_with(killed))


ENDS: Final = (
    _ended_by("exception"),
    _ended_by("thread_exception"),
    _ended_by("os_exit", killed=1),
    _ended_by("sigterm", killed=1),
    _ended_by("sigkill", killed=1),
    Fault(
        name="g sigkill, busy threads",
        program=Program(records=5_000, ending="sigkill", busy_threads=4, options=BURST),
        allowance=Allowance(repeats=500, regroups=True),
    ),
    Fault(
        name="g killed any time",
        program=Program(ending="endless", per_second=300),
        kill_after_seconds=2.5,
        allowance=killed_with(1),
    ),
)


def _made_in(way: Way, *, killed: int = 0) -> Fault:
    return Fault(name=f"h {way}", program=Program(records=100, way=way), allowance=killed_with(killed))


FORKS: Final = (
    _made_in("fork"),
    Fault(name="h fork, for long", program=Program(records=600, per_second=300, way="fork")),
    _made_in("fork_os_exit", killed=4),
    _made_in("mp_fork"),
    _made_in("mp_spawn"),
    _made_in("pool"),
)

LOOPS: Final = (
    Fault(name="i asyncio", program=Program(records=250, way="asyncio")),
    Fault(
        name="i asyncio, hangs",
        program=Program(records=500, per_second=200, way="asyncio"),
        script=until_exit(conducts.HANG),
    ),
)

REFUSALS: Final = (
    Fault(name="j 302 for 2 s", program=STEADY, script=for_seconds(2, conducts.REDIRECT)),
    Fault(name="j 401 for 2 s", program=STEADY, script=for_seconds(2, conducts.status(401))),
    Fault(name="j 403 for 2 s", program=STEADY, script=for_seconds(2, conducts.status(403))),
    Fault(name="j 404 until exit", program=AT_ONCE, script=until_exit(conducts.status(404))),
    Fault(name="j 5 of each refused", program=STEADY, script=until_exit(conducts.partial(5))),
)

POISONED: Final = tuple(Fault(name=f"k {name}", program=Program(poison=name)) for name in (*POISONS, *ODD_NUMBERS))

REFUSED: Final = (
    Fault(
        name="k 400 for one record",
        program=Program(poison="object"),
        script=until_exit(conducts.refusing("poison")),
        afterwards=conducts.refusing("poison"),
    ),
    Fault(
        name="l 413 over 60 kB",
        program=Program(records=200, prompt_bytes=10_000),
        script=until_exit(conducts.too_large(60_000)),
        afterwards=conducts.too_large(60_000),
    ),
    Fault(
        name="l 413 for each with content",
        program=Program(records=40, prompt_bytes=10_000),
        script=until_exit(conducts.too_large(6_000)),
        afterwards=conducts.too_large(6_000),
    ),
    Fault(
        name="l 413 for everything",
        program=Program(records=20),
        script=until_exit(conducts.too_large(100)),
        afterwards=conducts.too_large(100),
    ),
)


def _troubled(trouble: str, conduct: Conduct | None = None) -> Fault:
    """The receiver is away at first, so that the journal is needed; then well for longer than any backoff lasts."""
    program = Program(records=600, per_second=100, trouble=trouble, options=IMPATIENT)
    return Fault(name=f"{'n' if conduct else 'm'} {trouble}", program=program, script=for_seconds(1.5, conduct))


TROUBLED: Final = (
    _troubled("small_disk"),
    _troubled("disk_fills"),
    _troubled("file_limit"),
    _troubled("read_only"),
    _troubled("no_directory"),
    _troubled("removed"),
    _troubled("clock_forward", conducts.HANG),
    _troubled("clock_back", conducts.HANG),
)

OPENAI: Final = (
    Fault(name="o openai, sigkill", program=Program(source="openai", ending="sigkill"), allowance=killed_with(1)),
    Fault(name="o openai, down, os_exit", program=Program(source="openai", ending="os_exit"), script=until_exit(None)),
    Fault(name="o openai, pool", program=Program(source="openai", way="pool", children=2)),
)


def _hostile(name: str, conduct: Conduct, allowance: Allowance = NOTHING_AGAIN) -> Fault:
    return Fault(name=f"z {name}", program=AT_ONCE, script=until_exit(conduct), allowance=allowance)


HOSTILE: Final = (
    _hostile("huge answer", conducts.HUGE),
    _hostile("gzip bomb", conducts.gzip_bomb),
    _hostile("dripping headers", conducts.DRIP_HEADERS, ENDED_UNANSWERED),
    _hostile("dripping body", conducts.DRIP_BODY, ENDED_UNANSWERED),
    _hostile("hangs after taking", conducts.HANG_AFTER_TAKING, ENDED_UNANSWERED),
    Fault(name="z garbage 2 s", program=STEADY, script=for_seconds(2, conducts.GARBAGE)),
)

TABLE: Final = (
    Fault(name="receiver well", program=Program(records=1_000)),
    *OUTAGES,
    *AMBIGUITIES,
    *LOADS,
    *ENDS,
    *FORKS,
    *LOOPS,
    *REFUSALS,
    *POISONED,
    *REFUSED,
    *TROUBLED,
    *OPENAI,
    *HOSTILE,
)
