"""`make deploy`: hands what `make build` left to `sam deploy`, for the architecture it is made for.

Compiled packages of the other architecture would deploy without complaint and then not start.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from local import PROJECT
from local.variables import one_of, optional

CONFIG = PROJECT / "samconfig.toml"
_COMPILED_FOR = re.compile(r"\.cpython-\d+-(\w+)-linux-gnu\.so$")
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
_CONFIGURATIONS = {"dev": "default", "prod": "prod"}


VARIABLES = (
    optional("ENV", one_of(*_CONFIGURATIONS), "dev"),
    optional("ARCH", one_of(*_ARCHITECTURES.values()), ""),
    optional("BUILD", Path, PROJECT / ".aws-sam/build"),
)


def deploy(env: str, arch: str, build: Path) -> str:
    """Raises ValueError. If sam fails, this process ends with sam's exit status."""
    configuration = _CONFIGURATIONS[env]
    overrides = _overrides(configuration)
    built = built_architecture(build)
    if built is None:
        raise ValueError("Nothing is built yet: run make build first.")
    wanted = arch or overrides.get("Architecture", built)
    if wanted != built:
        raise ValueError(
            f"Built for {built}, to be deployed for {wanted}: run make build ARCH={wanted}."
        )
    parameters = [
        f"{name}={value}" for name, value in (overrides | {"Architecture": built}).items()
    ]
    command = ["sam", "deploy", "--config-file", str(CONFIG), "--config-env", configuration]
    command += ["--template-file", str(build / "template.yaml")]
    command += ["--parameter-overrides", *parameters]
    status = subprocess.run(command, check=False).returncode  # noqa: S603 - our own command line
    if status:
        sys.exit(status)
    return f"Deployed. Its addresses: make outputs STACK=payments-{env}"


def built_architecture(build: Path) -> str | None:
    """What the compiled packages of the built layer run on; None if there is no built layer."""
    machines = {
        match[1]
        for library in (build / "DependenciesLayer").rglob("*.so")
        if (match := _COMPILED_FOR.search(library.name))
    }
    if not machines:
        return None
    (machine,) = machines
    return _ARCHITECTURES[machine]


def _overrides(configuration: str) -> dict[str, str]:
    """samconfig's parameters: those on the command line would replace all of them."""
    config = tomllib.loads(CONFIG.read_text("utf-8"))
    pairs = config[configuration]["deploy"]["parameters"]["parameter_overrides"]
    return dict(pair.split("=", 1) for pair in pairs)
