"""What the measuring tests share: one build, laid out once, and one metered stage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.built import Layout, lay_out, python_3_13
from tests.benchmarks.instructions import why_not
from tests.benchmarks.lives import Scene, on_stage


@pytest.fixture(scope="session")
def layout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """What `make build` makes now, as Lambda unpacks it."""
    if python_3_13() is None:
        pytest.skip("Python 3.13 is not installed: what is built cannot be run")
    source: Path = request.getfixturevalue("built")
    return lay_out(tmp_path_factory.mktemp("lambda"), source)


@pytest.fixture
def counting() -> None:
    if why := why_not():
        pytest.skip(f"NO INSTRUCTION IS COUNTED: {why}")


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with on_stage() as built:
        yield built
