"""The single mutable slot of the package: what is on in this process."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import field
from threading import Lock, RLock
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal, Protocol
from weakref import WeakKeyDictionary, WeakSet, ref

from ._dataclass import dataclass
from ._identity import SeenIds
from ._record import NOBODY, Attribution, Content, GenerationId, JobNote, Recorded

if TYPE_CHECKING:
    from ._record import Outcome


class Sink(Protocol):
    """Where finished generations go. Nothing here raises and nothing waits for a network or a lock held across I/O."""

    @property
    def keeps_content(self) -> bool:
        """False in privacy mode: then content is not even kept in memory."""
        ...

    def record(self, recorded: Recorded) -> None:
        """Take over a record; it may be one that is to be read, which takes a while."""
        ...

    def job(self, job: GenerationId) -> JobNote:
        """What was noted of a job, by this process or another one that reports to the same account from here."""
        ...

    def stand_by(self) -> None:
        """A call has begun whose end may come from a finalizer: be ready to be told by `defer`."""
        ...

    def defer(self, finish: Callable[[], None]) -> None:
        """
        Call *finish* soon, on a thread that holds no lock of ours.

        For finalizers, which the garbage collector may run at any line of any thread: reentrant, takes no lock.
        """
        ...


class Hold(Protocol):
    """A provisional record. The first of its endings counts; nothing here raises."""

    def settle(self, final: Recorded) -> None:
        """Record *final*, and that alone: it is of the same call."""
        ...

    def release(self) -> None:
        """Record it as it is."""
        ...


class Holder(Sink, Protocol):
    """A sink that can be given what is not said to the end yet."""

    def hold(self, recorded: Recorded) -> Hold:
        """
        Write a record down, and send it only once its hold has ended.

        Should the process die before, it is sent as it is. So each call is sent once, whatever happens.
        """
        ...


class HeldBack:
    """
    A hold.

    Args:
        record: Told of the record when the hold ends; does not raise.
        provisional: What is recorded if nothing else is.
    """

    __slots__ = ("_open", "_provisional", "_record")

    def __init__(self, record: Callable[[Recorded], None], provisional: Recorded) -> None:
        self._record = record
        self._provisional = provisional
        self._open = Lock()

    def settle(self, final: Recorded) -> None:
        """Record *final*."""
        if self._open.acquire(blocking=False):  # taken once, released never
            self._record(final)

    def release(self) -> None:
        """Record it as it is."""
        self.settle(self._provisional)


class Unfinished(Protocol):
    """A call that has no end yet: a stream that the application is still reading, or a block of its own."""

    def give_up(self) -> None:
        """Record what is known so far. Later endings add nothing."""
        ...


class Job(Protocol):
    """A call that created paid work which ends later."""

    @property
    def asked_bytes(self) -> int:
        """Roughly what is kept of what was asked."""
        ...

    def forget_what_was_asked(self) -> None:
        """Keep it no longer."""
        ...

    def settle(self, outcome: "Outcome", job: GenerationId) -> None:
        """Report the end of the work under the id of the job."""
        ...

    def answered_with(self, outcome: "Outcome") -> Content | None:
        """What was asked, and what was answered to it later; `None` in privacy mode."""
        ...


class UnreadFile(Protocol):
    """A job that has ended and whose usage is in a file."""

    def read(self, recording: Any, body: bytes) -> None:
        """Report what *body* says; *recording* is the request that fetched it."""
        ...


class Layer(Protocol):
    """A library that records calls which it makes through another library of ours; see `_layers`."""

    name: str
    """Its import name."""
    modules: str
    """How the names of its modules begin: ``litellm.``."""
    since: float
    """Since when its calls are known, in seconds since 1970."""
    asides: tuple[str, ...]
    """Those of its modules that call code of the application's beside a call: what that asks is its own."""

    def call_of(self, frame: FrameType) -> str | None:
        """The layer's id of the call that *frame*, one of its own, belongs to."""
        ...

    async def catch_up(self) -> None:
        """Wait until it has spoken of every call of this event loop that is over."""
        ...

    def catch_up_alone(self, seconds: float) -> None:
        """Have it speak of the calls of an event loop that is no more, for *seconds* at most."""
        ...


@dataclass(slots=True)
class State:
    """
    Attributes:
        sink: Where records go; `None` while nothing is instrumented.
        captured: What takes every record in a test, whatever the application switches on and off meanwhile.
        prices: The user's own, as given to `instrument()`.
        retired: Where records went under earlier options; kept while records wait there.
        former: All of these that somebody still holds: a stream that was begun under them records there.
        defaults: The attribution that was given to `instrument()`.
        providers: Host or ``host:port`` to provider name, as given to `instrument()`.
        stream_usage: Whether streams are asked for their usage: ``auto``, ``always`` or ``never``.
        seen: Response ids that are taken.
        open_streams: Streams being read, by `id`; as many as the application itself holds. Strong, so that what a
            stream has gathered is not garbage itself when the collector finds the stream.
        sockets: What is known of each websocket that the application holds.
        by_hand: Calls that are being recorded by hand, by `id`. Weak: such a call ends with its last reference.
        jobs: What created the jobs that have not ended yet, by the id of the job; bounded by who puts them in.
        files: Jobs whose usage is in a file that nobody has fetched yet, by its id; bounded by who puts them in.
        layers: Those that record calls made through another library, by name, while they are able to.
        slots: Their calls, by layer and id; see `_layers`, which bounds them.
        watched: Those of these calls of which something is waited for.
        speaking: One item for each word of such a layer that is being made into a record at this moment.
        runs: The runs of a library above that are open, by id; see `_layers`, which bounds them.
        lone_runs: Those of them of whose end nothing may tell but their task, by `id`.
        same_ids: Runs have been open at once under one id, in this process, and may be again.
        runs_lock: Held for a few steps on such runs; the garbage collector may end one in the middle of them.
        spans: Which spans are sent above a call: those that have names, or every run.
        hashes_keys: Whether the hash of the key that a call is made with is kept.
        slots_lock: Held for a few steps on the slots, never across anything that waits; a signal's handler that flushes
            may be called in the middle of them.
        hooks_lock: Held while what such a layer is hooked by is put in its place or taken out.
        timer: What looks for promises that were not kept; there only while something is held.
        enabled: The libraries whose calls are recorded.
        installed: Those of them that are imported and hooked.
        hooked: The libraries whose import is waited for, for as long as the process lives.
        exit_hooked: Whether our part of the end of the process is registered.
        strict: Set by our own test suite: faults of ours are raised instead of logged.
    """

    sink: Holder | None = None
    captured: Holder | None = None
    prices: object = None
    retired: list[Sink] = field(default_factory=list[Sink])
    former: WeakSet[Sink] = field(default_factory=WeakSet[Sink])
    defaults: Attribution = NOBODY
    providers: Mapping[str, str] = field(default_factory=dict[str, str])
    stream_usage: Literal["auto", "always", "never"] = "auto"
    seen: SeenIds = field(default_factory=SeenIds)
    open_streams: dict[int, Unfinished] = field(default_factory=dict[int, "Unfinished"])
    sockets: WeakKeyDictionary[object, object] = field(default_factory=WeakKeyDictionary[object, object])
    by_hand: dict[int, ref[Unfinished]] = field(default_factory=dict[int, "ref[Unfinished]"])
    jobs: dict[str, Job] = field(default_factory=dict[str, "Job"])
    files: dict[str, UnreadFile] = field(default_factory=dict[str, "UnreadFile"])
    layers: dict[str, Layer] = field(default_factory=dict[str, Layer])
    slots: OrderedDict[str, object] = field(default_factory=OrderedDict[str, object])
    watched: dict[object, None] = field(default_factory=dict[object, None])
    speaking: list[object] = field(default_factory=list[object])
    runs: dict[object, Unfinished] = field(default_factory=dict[object, "Unfinished"])
    lone_runs: dict[int, Unfinished] = field(default_factory=dict[int, "Unfinished"])
    same_ids: bool = False
    runs_lock: RLock = field(default_factory=RLock)
    spans: Literal["named", "all"] = "named"
    hashes_keys: bool = False
    slots_lock: RLock = field(default_factory=RLock)
    hooks_lock: RLock = field(default_factory=RLock)
    timer: object = None
    enabled: set[str] = field(default_factory=set[str])
    installed: set[str] = field(default_factory=set[str])
    hooked: set[str] = field(default_factory=set[str])
    exit_hooked: bool = False
    strict: bool = False


state = State()
