"""Takes out of the installed packages what Lambda would unpack and read for nothing.

A third of a cold start is botocore reading its data: 400 services, their documentation and the
endpoints of all of them. What stays is what we call; tests make every call from the built layer.
No source file is edited: files stay as they are published, or are left out.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

# botocore's name of each service we call, and what we call there.
CALLED = {
    "dynamodb": (
        "BatchGetItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactWriteItems",
        "UpdateItem",
    ),
    "kms": ("Decrypt", "Encrypt", "GenerateMac"),
    "stepfunctions": (
        "DescribeExecution",
        "SendTaskFailure",
        "SendTaskSuccess",
        "StartExecution",
    ),
}
# What boto3 imports when it starts and we do not use: see the files there.
PLACEHOLDERS = Path(__file__).parent / "placeholders"
LANGUAGES = ("en", "es", "pt", "it", "de", "fr")
UNUSED = (
    "*.dist-info/RECORD",  # licences and versions stay
    "*/tests",
    "bin",
    "boto3/data",  # resources, which we do not use
    "boto3/examples",
    "s3transfer",
    "botocore/data/*/*/examples-1.json",
    "pydantic/v1",
)


def prune(packages: Path) -> None:
    for pattern in UNUSED:
        for path in list(packages.glob(pattern)):
            _remove(path)
    _prune_botocore(packages / "botocore/data")
    _prune_babel(packages / "babel/locale-data")
    shutil.copytree(PLACEHOLDERS, packages, dirs_exist_ok=True)


def _prune_botocore(data: Path) -> None:
    prefixes = set()
    for folder in [path for path in data.iterdir() if path.is_dir()]:
        if folder.name not in CALLED:
            _remove(folder)
            continue
        for old in sorted(path for path in folder.iterdir() if path.is_dir())[:-1]:
            _remove(old)
        for packed in list(folder.rglob("*.json.gz")):
            _unpack(packed)
        (model_file,) = folder.rglob("service-2.json")
        model = json.loads(model_file.read_text("utf-8"))
        prefixes.add(model["metadata"]["endpointPrefix"])
        _write(model_file, _only_called(model, CALLED[folder.name]))
    endpoints = json.loads((data / "endpoints.json").read_text("utf-8"))
    for partition in endpoints["partitions"]:
        services = partition["services"].items()
        partition["services"] = {name: body for name, body in services if name in prefixes}
    _write(data / "endpoints.json", endpoints)


def _only_called(model: dict[str, Any], operations: tuple[str, ...]) -> dict[str, Any]:
    """The service as if it had these operations alone, and no documentation."""
    called = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    wanted = _shapes_named(called)
    while wanted:
        name = wanted.pop()
        shapes[name] = model["shapes"][name]
        wanted |= _shapes_named(shapes[name]) - shapes.keys()
    return _without_documentation(model | {"operations": called, "shapes": shapes})


def _shapes_named(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_shapes_named, part))
    if not isinstance(part, dict):
        return set()
    name = part.get("shape")
    return _shapes_named(list(part.values())) | ({name} if isinstance(name, str) else set())


def _without_documentation(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_documentation(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    return {
        name: _without_documentation(inner)
        for name, inner in part.items()
        if not (name == "documentation" and isinstance(inner, str))
    }


def _prune_babel(locales: Path) -> None:
    """The pages speak six languages; every locale falls back to `root`."""
    for path in list(locales.glob("*.dat")):
        if path.stem not in (*LANGUAGES, "root"):
            path.unlink()


def _unpack(packed: Path) -> None:
    _write(packed.with_suffix(""), json.loads(gzip.decompress(packed.read_bytes())))
    packed.unlink()


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")), "utf-8")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
