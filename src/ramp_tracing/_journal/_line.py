r"""
A record as one line of a journal: ``v1 <crc32> <json>\n``, always shorter than 4,096 bytes.

What may not stand on a disk (prompt, answer, a provider's message), and metadata that would make the line too long, are
not part of it. The line says that they exist, so that whoever finds it after a crash can say that they are gone.
"""

import re
import zlib
from collections.abc import Mapping
from functools import cached_property
from typing import Final, Literal, NamedTuple, cast, final

import orjson

from .._normalizers import FORMATS
from .._record import Content, Generation, Lean, Recorded, Unread, changed
from ._fields import GENERATION, generation_of, is_readable, told_of
from ._fitting import fitted, json_of, size_of

MAX_LINE_BYTES: Final = 4095
"""A page: written in one piece, read in one piece."""

MAX_BODY_BYTES: Final = MAX_LINE_BYTES - len(b"v1 01234567 \n")

HELD: Final = "held"
SETTLES: Final = "settles"
"""The first member of a provisional line, and of that which replaces it. They share a value that no others have."""

TIE: Final = re.compile(rb'\{"(?:(held)|settles)":"([0-9a-f]+)"')

TIED: Final = (b'{"held"', b'{"settles"')

IN_MEMORY: Final = "in_memory"
"""The member that says what else there is: ``content``, ``message``, ``metadata``."""


CONTENT_ALONE: Final = ("content",)


Key = tuple[str, int]
"""An id and a checksum. They tell lines apart, also two of the same id: a job that is pending, and its end."""


Checked = tuple[bytes, int]
"""The JSON of a line that is whole, and its checksum."""


@final
class Kept(NamedTuple):
    """The part of a record that stays in memory."""

    content: Content | Unread | None = None
    """What was asked and answered, or the whole record, unread."""
    message: str | None = None
    """The failure's."""
    metadata: Mapping[str, object] | None = None
    """All of it, if some of it is not in the line."""

    @property
    def parts(self) -> frozenset[str]:
        """The names of what is there."""
        return frozenset(name for name, value in zip(self._fields, self, strict=True) if value is not None)

    @property
    def size_bytes(self) -> int:
        """Roughly, for the bound on memory."""
        content = 0 if self.content is None else self.content.size_bytes
        metadata = () if self.metadata is None else self.metadata.items()
        return content + len(self.message or "") + sum(size_of(key, value) for key, value in metadata)

    def joined(self, generation: Generation) -> Generation:
        """*generation*, as read from its line, with this."""
        failure, attribution = generation.failure, generation.attribution
        if self.message is not None and failure is not None:
            failure = changed(failure, message=self.message)
        if self.metadata is not None:
            attribution = changed(attribution, metadata=self.metadata)
        content = cast("Content | None", self.content)  # an unread record is joined with nothing: it is whole
        return changed(generation, failure=failure, attribution=attribution, content=content)


RECORD_BYTES: Final = 700
"""What a record takes in memory beside its content."""


class Whole:
    """
    A record that is in memory whole: its line need not be read, if that says the same, as nearly all do.

    Args:
        generation: The record.
        size_bytes: Roughly what its content takes.
    """

    __slots__ = ("generation", "size_bytes")

    def __init__(self, generation: Generation, size_bytes: int) -> None:
        self.generation = generation
        self.size_bytes = size_bytes + RECORD_BYTES


class Tie(NamedTuple):
    """What connects a provisional line and the final one of the same call."""

    role: Literal["held", "settles"]
    token: str


class Encoded:
    """
    A record, ready to be written.

    Attributes:
        line: What is written.
        key: Of the line.
        kept: What is not; `None` if everything is in the line.
    """

    __slots__ = ("kept", "key", "line")

    line: bytes
    key: Key
    kept: Kept | Whole | Unread | None


class Decoded:
    """
    A record, found in a line.

    Args:
        members: The JSON of the line, parsed or not.
        key: Of the line.
        in_memory: The parts that the process which wrote it kept in memory.
        tie: What it is tied to.
    """

    def __init__(
        self,
        members: Mapping[str, object] | bytes,
        key: Key,
        in_memory: frozenset[str] = frozenset(),
        tie: Tie | None = None,
    ) -> None:
        self._members = members
        self.key = key
        self.in_memory = in_memory
        self.tie = tie

    @cached_property
    def generation(self) -> Generation:
        """The record. Not read before somebody asks: of most of what it wrote a process has more in memory."""
        members = self._members
        return cast("Generation", generation_of((_parsed(members) or {}) if isinstance(members, bytes) else members))

    def replaced_by(self, final: Generation) -> "Decoded":
        """*final*, in place of what stands in the line."""
        replaced = Decoded({}, self.key)
        replaced.generation = final
        return replaced


def encode(recorded: Recorded, tie: Tie | None = None) -> Encoded:
    """
    A record as a line, and the rest of it.

    Never raises for a value that the application chose: what JSON cannot hold is made to fit, and the money of the
    record is written all the same.

    Args:
        recorded: The record.
        tie: What the line is, if it is provisional or replaces one that is.
    """
    if type(recorded) is Generation:
        return _encoded(recorded, recorded.content, tie)
    written = recorded.written()
    if type(written) is Generation:
        return _encoded(written, recorded, tie)
    body = _lean_json(written)
    if tie is not None and body is not None:
        body = b'{"%b":"%b",%b' % (tie.role.encode(), tie.token.encode(), body[1:])
    if body is None or len(body) > MAX_BODY_BYTES:
        return _encoded(recorded.whole(), recorded, tie)
    return _framed(body, written.id, recorded)


def _encoded(generation: Generation, content: Content | Unread | None, tie: Tie | None) -> Encoded:
    message = None if generation.failure is None else generation.failure.message
    members = GENERATION.write(generation) or {}
    if tie is not None:
        members = {tie.role: tie.token, **members}
    in_memory = [] if content is None else [*CONTENT_ALONE]
    if message is not None:
        in_memory.append("message")
    if in_memory:
        members[IN_MEMORY] = in_memory
    body, metadata = json_of(members), None
    fits_badly = body is None or len(body) > MAX_BODY_BYTES
    if body is None or fits_badly:
        body, metadata = fitted(members, generation.attribution.metadata, max_bytes=MAX_BODY_BYTES)
        if content is not None and not isinstance(content, Content):
            content = content.whole().content  # the rest is sent as it stands in the line: its id may be a shorter one
    kept: Kept | Whole | Unread | None = None
    if tie is None and message is None and not fits_badly and isinstance(content, Content):
        kept = Whole(generation, content.size_bytes)
    elif message is not None or metadata is not None or isinstance(content, Content):
        kept = Kept(content, message, metadata)  # not the record alone: it goes before the other two do
    elif content is not None:
        kept = content
    return _framed(body, cast("str", members["id"]), kept)


def _lean_json(lean: Lean) -> bytes | None:
    """
    The JSON of a record whose answer has not been read; `None` if something in it cannot be JSON.

    Put together from JSON: to make objects of that and JSON of those takes three times as long.
    """
    more = b""
    if members := told_of(lean):
        told = json_of(members)
        if told is None:
            return None
        more = b"," + told[1:-1]
    try:
        identity = orjson.dumps(lean.id)
    except TypeError:
        return None
    retries = b"%d" % lean.retries if lean.retries is not None else b"null"
    started, ended = lean.started, lean.ended
    return LEAN % (identity, retries, started, ended, more, lean.place, FORMS[lean.format], lean.answer)


LEAN: Final = (
    b'{"id":%b,"retries":%b,"time":{"start":%d,"end":%d}%b,"place":%b,"format":%b,"answer":%b,"in_memory":["content"]}'
)
FORMS: Final = {name: b'"%b"' % name.encode() for name in FORMATS}


def line_of(members: Mapping[str, object]) -> bytes | None:
    """A line of what `members_of` returned; `None` if it is too long, or not JSON."""
    body = json_of(members)
    return None if body is None or len(body) > MAX_BODY_BYTES else _framed(body, "", None).line


def decode(line: bytes) -> Decoded | None:
    r"""The record in *line*, which is without its ``\n``; `None` if there is none."""
    checked = check(line)
    return None if checked is None else decode_checked(checked)


def decode_checked(checked: Checked) -> Decoded | None:
    """The record in what `check` found; `None` if there is none."""
    body, crc = checked
    members = _parsed(body)
    if members is None or not is_readable(members):
        return None
    key = cast("str", members["id"]), crc
    return Decoded(members, key, _names_in(members.get(IN_MEMORY)), tie_in(body))


def decode_own(checked: Checked) -> Decoded | None:
    """
    The same of what this process wrote; read later, if ever, where the whole record is likely to be in memory.

    Of such a line only the beginning and the end are looked at: parsing all of it takes ten times as long.
    """
    body, crc = checked
    if not body.endswith(ONLY_CONTENT):
        return decode_checked(checked)
    if body.startswith(BEGINNING):  # a third of what the expression takes
        identity = body[len(BEGINNING) : body.find(b'"', len(BEGINNING))]
        if identity and b"\\" not in identity:
            return Decoded(body, (identity.decode(), crc), CONTENT)
    begins = TIED_BEGINNING.match(body)
    return Decoded(body, (begins[1].decode(), crc), CONTENT, tie_in(body)) if begins else decode_checked(checked)


BEGINNING: Final = b'{"id":"'
TIED_BEGINNING: Final = re.compile(rb'\{"(?:held|settles)":"[0-9a-f]+","id":"([^"\\]+)"')
"""Of a line whose id has nothing in it that JSON would write otherwise."""

ONLY_CONTENT: Final = b',"in_memory":["content"]}'
CONTENT: Final = frozenset(CONTENT_ALONE)


def members_of(line: bytes) -> Mapping[str, object] | None:
    """The JSON object in *line*; `None` if it is damaged."""
    body = body_in(line)
    return None if body is None else _parsed(body)


def body_in(line: bytes) -> bytes | None:
    """The JSON in *line*; `None` if it is damaged."""
    checked = check(line)
    return None if checked is None else checked[0]


def check(line: bytes) -> Checked | None:
    """
    The JSON in *line* and its checksum; `None` if it is damaged.

    A write that a full disk cut short leaves a torn piece at the beginning of the next line, which is found behind it.
    """
    start = 0
    while start >= 0:
        body = line[start + 12 :]
        crc = zlib.crc32(body)
        if line.startswith(b"v1 %08x " % crc, start):
            return body, crc
        start = line.find(b"v1 ", start + 1)
    return None


def tie_in(body: bytes) -> Tie | None:
    """What the JSON of a line is tied to; `None` for nearly all."""
    if not body.startswith(TIED):
        return None
    found = TIE.match(body)
    return None if found is None else Tie(HELD if found[1] else SETTLES, found[2].decode())


def _framed(body: bytes, identity: str, kept: Kept | Whole | Unread | None) -> Encoded:
    crc = zlib.crc32(body)
    encoded = Encoded()
    encoded.line = b"v1 %08x %b\n" % (crc, body)
    encoded.key, encoded.kept = (identity, crc), kept
    return encoded


def _parsed(body: bytes) -> Mapping[str, object] | None:
    try:
        members: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return cast("Mapping[str, object]", members) if isinstance(members, dict) else None


def _names_in(value: object) -> frozenset[str]:
    return frozenset(map(str, cast("list[object]", value))) if isinstance(value, list) else frozenset()
