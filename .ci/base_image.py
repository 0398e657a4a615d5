"""A base image for Lambda functions, made from this machine's own files.

It is for a machine that reaches no image registry. Like AWS's image it has CPython in /var/lang,
the runtime interface client and boto3 in /var/runtime, and the few tools that SAM calls when it
adds its own layer.
"""

import io
import json
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local import PROJECT
from tests.benchmarks.built import python_3_13
from tests.sam_local.engine import ARCHITECTURE, IMAGE, PYTHON, VERSION

_TOOLS = ("sh", "mv", "chmod", "cp", "rm")
_RUNTIME = ("awslambdaric==4.2.2", "boto3")
_CONSTRAINTS = PROJECT / "layers/dependencies/requirements.txt"
# Compiled packages take these for granted, and nothing else in the image leads to them.
_SYSTEM = ("libgcc_s.so.1", "libstdc++.so.6", "librt.so.1", "libdl.so.2", "libpthread.so.0")
_LEFT_OUT = {"test", "idlelib", "tkinter", "turtledemo", "ensurepip", "site-packages"}
_BOOTSTRAP = f"""#!/bin/sh
export PYTHONPATH=/var/task:/opt/python/lib/python{VERSION}/site-packages:/opt/python:/var/runtime
exec {PYTHON} -m awslambdaric "$_HANDLER"
"""
_ENVIRONMENT = (
    "PATH=/var/lang/bin:/opt/bin:/bin LD_LIBRARY_PATH=/var/lang/lib:/opt/lib"
    " LANG=en_US.UTF-8 TZ=:UTC LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime"
)


class NoBaseImageError(Exception):
    """This machine lacks something that the image is made from. The text says what."""


def import_image(client: Any) -> None:
    """Makes the image and imports it under the name that SAM looks for.

    Only a private engine may get it: elsewhere people would take it for AWS's image.
    Raises NoBaseImageError.
    """
    if platform.machine() != ARCHITECTURE:
        raise NoBaseImageError(f"this machine cannot run functions built for {ARCHITECTURE}.")
    found = python_3_13()
    if found is None:
        raise NoBaseImageError(f"Python {VERSION}, which Lambda runs, is not installed.")
    python = Path(found).resolve()  # the interpreter itself, if this is a virtual environment
    with tempfile.TemporaryDirectory(prefix="payments-image-") as folder:
        packages = Path(folder, "runtime")
        _install_runtime(packages)
        archive = Path(folder, "image.tar")
        with tarfile.open(archive, "w") as tar:
            _fill(tar, python, packages)
        client.api.import_image_from_file(
            str(archive), *IMAGE.split(":"), changes=[f"ENV {_ENVIRONMENT}"]
        )


def _install_runtime(folder: Path) -> None:
    installed = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)),
            *("--python-version", VERSION, "--only-binary", ":all:"),
            *("--constraint", str(_CONSTRAINTS), *_RUNTIME),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode != 0:
        raise NoBaseImageError(f"{', '.join(_RUNTIME)} cannot be installed: {installed.stderr}")


def _fill(tar: tarfile.TarFile, python: Path, packages: Path) -> None:
    script = "import json, sysconfig; print(json.dumps(sysconfig.get_path('stdlib')))"
    answer = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    library = Path(json.loads(answer.stdout))
    tools = [Path(shutil.which(tool) or f"/bin/{tool}").resolve() for tool in _TOOLS]
    extensions = (library / "lib-dynload").glob("*.so")
    tar.add(python, PYTHON)
    tar.add(library, f"/var/lang/lib/python{VERSION}", filter=_without_what_is_not_needed)
    tar.add(packages, "/var/runtime")
    for name, tool in zip(_TOOLS, tools, strict=True):
        tar.add(tool, f"/bin/{name}")
    for path, inside in _shared_libraries([python, *tools, *extensions]):
        tar.add(path, inside)
    bootstrap = tarfile.TarInfo("var/runtime/bootstrap")
    bootstrap.mode, bootstrap.size = 0o755, len(_BOOTSTRAP)
    tar.addfile(bootstrap, io.BytesIO(_BOOTSTRAP.encode()))
    scratch = tarfile.TarInfo("tmp")
    scratch.type, scratch.mode = tarfile.DIRTYPE, 0o1777
    tar.addfile(scratch)


def _without_what_is_not_needed(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = Path(member.name).parts
    unneeded = not _LEFT_OUT.isdisjoint(parts) or any(part.startswith("config-") for part in parts)
    return None if unneeded else member


def _shared_libraries(binaries: Iterable[Path]) -> Iterable[tuple[Path, str]]:
    """Each library and its place; the loader keeps its path, for the binaries name it."""
    listing = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    found = {Path(path) for path in re.findall(r"=> (/\S+) \(", listing)}
    folder = next(path.parent for path in found if path.name.startswith("libc.so"))
    found |= {folder / name for name in _SYSTEM if (folder / name).exists()}
    for path in sorted(found):
        yield path.resolve(), f"/var/lang/lib/{path.name}"
    for path in sorted(set(re.findall(r"^\s+(/\S+) \(", listing, re.MULTILINE))):
        yield Path(path).resolve(), path
