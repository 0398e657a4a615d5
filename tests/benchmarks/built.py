"""What `make build` makes, laid out as on Lambda: read-only, all files dated 1980."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local import PROJECT

BUILD = PROJECT / ".aws-sam/build"
BASELINES = PROJECT / ".local/baselines"
LAYERS = ("DependenciesLayer", "PaymentsLayer")
_1980 = 315_532_800


def python_3_13() -> str | None:
    """Lambda's Python, as the Makefile finds it; None where there is none."""
    found = _make("which-python").strip()
    return found or None


def build() -> None:
    """Builds for this machine, and installs what we are compared with."""
    architecture = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    _make("build", ".local/baselines", f"ARCH={architecture}")


def _make(*targets: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    command = ["make", "--silent", "--no-print-directory", *targets]
    ran = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=False, env=environment
    )
    if ran.returncode:
        raise RuntimeError(f"make {' '.join(targets)} failed:\n{ran.stdout}\n{ran.stderr}")
    return ran.stdout


@dataclass(frozen=True)
class Layout:
    """`/opt` and each function's `/var/task` under one folder."""

    root: Path

    def search_path(self, function: str) -> list[Path]:
        return [self.task(function), self.packages]

    def task(self, function: str) -> Path:
        return self.root / function / "var/task"

    @property
    def packages(self) -> Path:
        return self.root / "opt/python"


def lay_out(target: Path, source: Path = BUILD) -> Layout:
    """A copy as Lambda unpacks it; what is written into it afterwards is lost on Lambda."""
    layout = Layout(target)
    for layer in LAYERS:
        shutil.copytree(source / layer / "python", layout.packages, dirs_exist_ok=True)
    for folder in source.glob("*Function"):
        shutil.copytree(folder, layout.task(folder.name))
    date_and_seal(target)
    return layout


def date_and_seal(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (_1980, _1980))
        path.chmod(path.stat().st_mode & ~0o222)
