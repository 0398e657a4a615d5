"""`make deploy`: hands what `make build` left to `sam deploy`, for the architecture it is made for.

Compiled packages of the other architecture would deploy without complaint and then not start.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from local import PROJECT

CONFIG = PROJECT / "samconfig.toml"
_COMPILED_FOR = re.compile(r"\.cpython-\d+-(\w+)-linux-gnu\.so$")
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
_CONFIGURATIONS = {"dev": "default", "prod": "prod"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.operator.deploy", description=__doc__)
    parser.add_argument("--env", choices=_CONFIGURATIONS, default="dev")
    parser.add_argument("--arch", choices=("", "x86_64", "arm64"), default="")
    parser.add_argument("--build", type=Path, default=PROJECT / ".aws-sam/build")
    options = parser.parse_args()
    configuration = _CONFIGURATIONS[options.env]
    overrides = _overrides(configuration)
    built = built_architecture(options.build)
    if built is None:
        print("Nothing is built yet: run make build first.", file=sys.stderr)
        return 1
    wanted = options.arch or overrides.get("Architecture", built)
    if wanted != built:
        mismatch = f"Built for {built}, to be deployed for {wanted}: run make build ARCH={wanted}."
        print(mismatch, file=sys.stderr)
        return 1
    parameters = [
        f"{name}={value}" for name, value in (overrides | {"Architecture": built}).items()
    ]
    command = ["sam", "deploy", "--config-file", str(CONFIG), "--config-env", configuration]
    command += ["--template-file", str(options.build / "template.yaml")]
    command += ["--parameter-overrides", *parameters]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own command line


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


if __name__ == "__main__":
    sys.exit(main())
