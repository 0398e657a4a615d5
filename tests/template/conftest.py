"""The templates as they are written, before SAM translates them."""

from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.support.stack import PROJECT


@pytest.fixture(scope="module")
def source() -> Any:
    return yaml_parse((PROJECT / "template.yaml").read_text())


@pytest.fixture(scope="module")
def edge() -> Any:
    return yaml_parse((PROJECT / "functions/edge.yaml").read_text())


@pytest.fixture(scope="module")
def monitoring() -> Any:
    return yaml_parse((PROJECT / "functions/monitoring.yaml").read_text())
