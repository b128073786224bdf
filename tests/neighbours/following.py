"""The two clients, in whatever is active where they are used."""

from contextvars import copy_context
from typing import Any

from ..integrations.colours import Async, Sync
from ..integrations.provider import Provider


class Plain(Sync):
    def follow(self) -> None:
        """It does so by itself."""


class Following(Async):
    """Its event loop would go on for ever with what was active when it was first used."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(provider)
        self.follow()

    def follow(self) -> None:
        """From now on, be in what is active here."""
        self._context = copy_context()

    def _run(self, work: Any) -> Any:
        return self._runner.run(work, context=self._context)
