"""C: cold starts, in instructions from the interpreter's first to a handler that is ready."""

import shutil
import subprocess
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.built import BASELINES, BUILD, LAYERS, Layout, python_3_13
from tests.benchmarks.called import called_operations
from tests.benchmarks.instructions import count, counters, run, why_not
from tests.benchmarks.rows import Row, skipped

BASELINE_CODE = Path(__file__).parent / "baselines"
# Each function with what its first request would otherwise have to build.
MERCHANT = {
    "create": ("CreatePaymentFunction", "create_payment"),
    "get": ("GetPaymentFunction", "get_payment"),
    "list": ("ListPaymentsFunction", "list_payments"),
}
NEVER = ("aws_xray_sdk", "fastapi")
# 0.065 of it are the 70 TypedDicts of pydantic_core, whose annotations Python 3.13 compiles on
# import. Python 3.14 does not evaluate annotations before somebody asks for them.
READY_GOAL = 1.25
MEGABYTE = 1_000_000


def rows(layout: Layout) -> list[Row]:
    return [*_instructions(layout), *loaded(layout), *size()]


def _instructions(layout: Layout) -> list[Row]:
    if why := why_not():
        return [skipped("C1–C4", why)]
    with counters() as pool:
        counts = [pool.submit(count_ready, layout, *function) for function in MERCHANT.values()]
        counts.append(pool.submit(count_ready, layout, "AuthorizerFunction", "api_keys"))
        untouched = base()
    *merchant, authorizer = (counted.result() for counted in counts)
    ready = dict(zip(MERCHANT, merchant, strict=True))
    return [
        *(
            Row(
                "C1",
                f"Ir of importing {name} / untouched boto3 client",
                counted / untouched,
                READY_GOAL,
            )
            for name, counted in ready.items()
        ),
        Row("C3", "authorizer / untouched boto3 client", authorizer / untouched, 1.05),
        Row("C4", "create, dated 1980 / freshly compiled", _dated(layout, ready["create"]), 1.03),
    ]


def base() -> int:
    """`boto3.client("dynamodb")`, as boto3 comes."""
    return count("ready.py", [BASELINE_CODE, BASELINES], "untouched_boto3")


def count_ready(layout: Layout, function: str, part: str) -> int:
    return count("ready.py", layout.search_path(function), "app", part)


def _dated(layout: Layout, dated: int) -> float:
    """How much of the bytecode Lambda would refuse for its date, and make anew every time."""
    with TemporaryDirectory() as folder:
        fresh = Layout(Path(folder) / "fresh")
        shutil.copytree(layout.root, fresh.root, copy_function=shutil.copyfile)
        for bytecode in list(fresh.root.rglob("__pycache__")):
            shutil.rmtree(bytecode)
        compiler = [str(python_3_13()), "-m", "compileall", "-q", str(fresh.root)]
        subprocess.run(compiler, check=True)
        return dated / count_ready(fresh, *MERCHANT["create"])


def loaded(layout: Layout) -> list[Row]:
    """How many modules there are when a function is ready, and none that has no business there."""
    if python_3_13() is None:
        return [skipped("C5", "Python 3.13 is not installed")]
    found = []
    for name, (function, part) in MERCHANT.items():
        modules = run("ready.py", layout.search_path(function), "app", part).split()
        unwanted = sum(module.partition(".")[0] in NEVER for module in modules)
        found += [
            # The rooms of our own package are 14 modules more than the loose modules were.
            Row("C5", f"modules loaded by {name}", len(modules), 520),
            Row("C5", f"… of {', '.join(NEVER)}", unwanted, 0),
        ]
    return found


def size(build: Path = BUILD) -> list[Row]:
    """The layers and one function, as they are uploaded."""
    folders = [build / name for name in (*LAYERS, MERCHANT["create"][0])]
    unzipped = sum(path.stat().st_size for folder in folders for path in folder.rglob("*"))
    data = build / "DependenciesLayer/python/botocore/data"
    services = {folder.name for folder in data.iterdir() if folder.is_dir()}
    uncalled = services - called_operations().keys()
    return [
        Row("C6", "layers + function unzipped, MB", unzipped / MEGABYTE, 30),
        Row("C6", "layers + function zipped, MB", _zipped(folders) / MEGABYTE, 10),
        Row(
            "C6",
            "botocore services that nobody calls",
            len(uncalled),
            0,
        ),
    ]


def _zipped(folders: list[Path]) -> int:
    with TemporaryDirectory() as target:
        archive = Path(target) / "all.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
            for folder in folders:
                for path in sorted(folder.rglob("*")):
                    opened.write(path, Path(folder.name) / path.relative_to(folder))
        return archive.stat().st_size
