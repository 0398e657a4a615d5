"""The two descriptions of the API: the document for readers, the template for AWS."""

from typing import Any

import pytest
import yaml

from local.template import Template
from tests.support.stack import PROJECT


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """openapi.yaml."""
    text = (PROJECT / "functions/openapi.yaml").read_text("utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


@pytest.fixture(scope="session")
def gateway(deployed: Template) -> dict[str, Any]:
    """What API Gateway is told: routes, integrations, authorizers, gateway responses."""
    (api,) = deployed.of_type("AWS::ApiGateway::RestApi").values()
    body: dict[str, Any] = api["Properties"]["Body"]
    return body
