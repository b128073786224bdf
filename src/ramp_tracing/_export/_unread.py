"""The attributes of a call's span before anybody has looked at them."""

from collections.abc import ItemsView, Iterator, Mapping

from .._record import Generation
from ._attributes import VOCABULARIES
from ._metadata import metadata_of
from ._settings import Dialect
from ._span import Value


class Unread(Mapping[str, Value]):
    """
    The attributes of a call's span, read when somebody looks: most are only written down, for which there is a way of
    its own (`_json_attributes.py`).

    Args:
        generation: The call.
        dialect: The names.
    """

    __slots__ = ("_read", "dialect", "generation")

    def __init__(self, generation: Generation, dialect: Dialect) -> None:
        self.generation = generation
        self.dialect: Dialect = dialect
        self._read: dict[str, Value] | None = None

    @property
    def metadata(self) -> dict[str, Value]:
        """The user's own."""
        attribution, vocabulary = self.generation.attribution, VOCABULARIES[self.dialect]
        return metadata_of(attribution, vocabulary.metadata, vocabulary.generation.keys)

    @property
    def read(self) -> dict[str, Value]:
        """All of them. The user's metadata come first, so that they can replace nothing."""
        if self._read is None:
            self._read = {**self.metadata, **VOCABULARIES[self.dialect].generation.read(self.generation)}
        return self._read

    def __getitem__(self, key: str) -> Value:
        return self.read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read)

    def __len__(self) -> int:
        return len(self.read)

    def items(self) -> ItemsView[str, Value]:
        """In one go: the inherited one looks each key up."""
        return self.read.items()
