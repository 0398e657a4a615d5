"""One emulated AWS for all simulated worlds."""

from collections.abc import Iterator

import pytest

from tests.reliability.world import Stage, stage


@pytest.fixture(scope="module")
def simulated() -> Iterator[Stage]:
    with stage() as built:
        yield built
