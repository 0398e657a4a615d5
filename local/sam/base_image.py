"""Lambda's base image, made of this machine's own files, for where no image registry is reached.

Like AWS's image it has CPython in /var/lang, the runtime interface client and boto3 in
/var/runtime, and the few tools that SAM's own build steps on top of it call.
"""

import io
import json
import os
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

VERSION = "3.13"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
_REPOSITORY = "payments-local/lambda-python"
IMAGE = f"{_REPOSITORY}:{VERSION}"
PYTHON = f"/var/lang/bin/python{VERSION}"
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
    """This machine lacks what the image is made of. The text says what."""


def import_image(client: Any) -> None:
    """Makes the image and gives it to the engine. Raises NoBaseImageError."""
    if platform.system() != "Linux":
        raise NoBaseImageError("Only Linux has the files that Lambda's base image is made of.")
    python = lambda_python()
    with tempfile.TemporaryDirectory(prefix="payments-image-") as folder:
        packages = Path(folder, "runtime")
        _install_runtime(packages)
        archive = Path(folder, "image.tar")
        with tarfile.open(archive, "w") as tar:
            _fill(tar, python, packages)
        client.api.import_image_from_file(
            str(archive), _REPOSITORY, VERSION, changes=[f"ENV {_ENVIRONMENT}"]
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


def lambda_python() -> Path:
    """The executable. A pyenv shim on the path may lead nowhere, so each is asked.

    Raises NoBaseImageError.
    """
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    on_path = shutil.which(f"python{VERSION}")
    found = [*([on_path] if on_path else []), *home.glob(f"versions/{VERSION}.*/bin/python3")]
    for python in found:
        script = "import sys; print(sys._base_executable)"
        asked = subprocess.run(
            [str(python), "-c", script], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0:
            return Path(asked.stdout.strip()).resolve()
    raise NoBaseImageError(f"Python {VERSION}, which Lambda runs, is not installed.")


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
    """Each library and where it goes; the loader stays where the binaries look for it."""
    listing = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    found = {Path(path) for path in re.findall(r"=> (/\S+) \(", listing)}
    folder = next(path.parent for path in found if path.name.startswith("libc.so"))
    found |= {folder / name for name in _SYSTEM if (folder / name).exists()}
    for path in sorted(found):
        yield path.resolve(), f"/var/lang/lib/{path.name}"
    for path in sorted(set(re.findall(r"^\s+(/\S+) \(", listing, re.MULTILINE))):
        yield Path(path).resolve(), path
