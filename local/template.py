"""The project's own template, translated by SAM: what `sam deploy` would hand to CloudFormation."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from local import PROJECT

_LOCAL_PATH_PROPERTIES = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


class _NoManagedPolicies:
    """SAM asks IAM for managed policies by name; this template names none."""

    def load(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True)
class Template:
    """`resources` as CloudFormation gets them; `paths`: logical id -> file or folder here."""

    parameters: dict[str, Any]
    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]
    conditions: dict[str, Any]
    paths: dict[str, Path]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: body for name, body in self.resources.items() if body["Type"] == kind}


def load(parameters: dict[str, str]) -> Template:
    """Reads `template.yaml` and translates it under these parameters."""
    return translate(yaml_parse((PROJECT / "template.yaml").read_text()), parameters)


def translate(source: dict[str, Any], parameters: dict[str, str]) -> Template:
    paths: dict[str, Path] = {}
    for name, resource in source["Resources"].items():
        if key := _LOCAL_PATH_PROPERTIES.get(resource["Type"]):
            paths[name] = PROJECT / resource["Properties"][key]
            # The translator takes only uploaded code, as `sam package` would leave it.
            resource["Properties"][key] = f"s3://local/{resource['Properties'][key]}"
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    translated = transform(source, dict(parameters), _NoManagedPolicies())
    return Template(
        parameters=translated["Parameters"],
        resources=translated["Resources"],
        outputs=translated["Outputs"],
        conditions=translated["Conditions"],
        paths=paths,
    )
