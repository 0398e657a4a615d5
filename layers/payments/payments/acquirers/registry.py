"""The acquirers of this stack, by the names under which attempts and payments record them."""

from collections.abc import Callable, Mapping

from payments.acquirers.port import Acquirer
from payments.errors import UnknownAcquirerError


class Acquirers:
    """An attempt stays with the acquirer it began with, whatever is configured by then."""

    def __init__(self, builders: Mapping[str, Callable[[], Acquirer]]) -> None:
        """Each is built when it is first asked for."""
        self._builders = builders
        self._built: dict[str, Acquirer] = {}

    def __getitem__(self, name: str) -> Acquirer:
        """Raises UnknownAcquirerError."""
        if name not in self._builders:
            raise UnknownAcquirerError(name)
        if name not in self._built:
            self._built[name] = self._builders[name]()
        return self._built[name]
