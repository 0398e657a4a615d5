"""The shops of docs/integrate.md, run as they stand: an order is fulfilled once, if it is paid."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.support.actors import DECLINED_CARD, TIMEOUT_SECONDS, Checkout, Shop, Shopper, open_shop
from tests.support.stack import PROJECT, Stack

SHOPS = PROJECT / "docs/shops"
OLDEST_NODE = 20
START_SECONDS = 30


@dataclass
class RunningShop:
    """A shop in a process of its own, for a merchant of its own."""

    command: list[str]
    folder: Path
    environment: dict[str, str]
    url: str = ""
    log: Path = field(default_factory=lambda: Path(tempfile.mkstemp(prefix="shop-")[1]))

    def start(self) -> None:
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment |= {"PORT": str(port), "SHOP_URL": self.url}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while not _listens(port):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "the shop does not listen"
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=TIMEOUT_SECONDS)
        self.log.unlink()

    def order(self) -> tuple[str, Checkout]:
        """Buys tea: the order's own address, and the checkout the shopper is sent to."""
        answer = requests.post(f"{self.url}/orders", allow_redirects=False, timeout=TIMEOUT_SECONDS)
        assert answer.status_code == 303, (answer.text, self.log.read_text())
        checkout = Checkout.at(answer.headers["Location"])
        return checkout.data["return_url"], checkout

    def visit(self, url: str) -> str:
        answer = requests.get(url, timeout=TIMEOUT_SECONDS)
        assert answer.status_code == 200, (answer.text, self.log.read_text())
        return answer.text

    def shipped(self, order_url: str) -> int:
        """How often the order was shipped."""
        order_id = order_url.rpartition("/")[2]
        return len(re.findall(rf"^SHIP {order_id}$", self.log.read_text(), re.MULTILINE))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _flask(environment: dict[str, str], _folder: Path) -> RunningShop:
    return RunningShop([sys.executable, "flask_shop.py"], SHOPS, environment)


def _express(environment: dict[str, str], folder: Path) -> RunningShop:
    """Its packages are installed beside a copy: the repository stays as it is."""
    path = os.pathsep.join((os.environ["PATH"], str(PROJECT / ".venv/node/bin")))
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        pytest.skip("Node.js and npm are not installed: the Express shop is not run")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node.js {version.strip()} is too old for the Express shop")
    for name in ("express_shop.js", "package.json", "package-lock.json", ".npmrc"):
        shutil.copy(SHOPS / name, folder)
    install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(install, cwd=folder, env=os.environ | {"PATH": path}, check=True)
    return RunningShop([node, "express_shop.js"], folder, environment)


@pytest.fixture(scope="module")
def merchant(stack: Stack) -> Iterator[Shop]:
    shop = open_shop(stack)
    yield shop
    shop.close()


@pytest.fixture(scope="module", params=[_flask, _express], ids=["flask", "express"])
def shop_front(
    request: pytest.FixtureRequest,
    stack: Stack,
    merchant: Shop,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningShop]:
    folder = tmp_path_factory.mktemp("shop")
    environment = {
        "PATH": str(Path(sys.executable).parent),
        "PAYMENTS_API": stack.url,
        "PAYMENTS_KEY": merchant.key or "",
        "SHOP_DATABASE": str(folder / "shop.db"),
        "POLL_SECONDS": "0.2",
    }
    make: Callable[[dict[str, str], Path], RunningShop] = request.param
    running = make(environment, folder)
    running.start()
    yield running
    running.stop()


def test_an_order_is_paid_for_and_fulfilled_once_however_often_the_shopper_returns(
    shop_front: RunningShop, shopper: Shopper
) -> None:
    order_url, checkout = shop_front.order()
    paid = shopper.pay(checkout)
    assert paid.status_code == 200, paid.text
    back = paid.json()["redirect"]
    assert back == f"{order_url}?id_payment={checkout.id}"

    with ThreadPoolExecutor(4) as browsers:
        pages = list(browsers.map(shop_front.visit, [back] * 8))

    assert all("on its way" in page for page in pages)
    assert shop_front.shipped(order_url) == 1
    assert "on its way" in shop_front.visit(back)
    assert shop_front.shipped(order_url) == 1


def test_an_order_that_is_paid_by_the_checkouts_form_is_fulfilled(
    shop_front: RunningShop, shopper: Shopper
) -> None:
    order_url, checkout = shop_front.order()
    assert shopper.pay_by_form(checkout).status_code == 303
    assert "on its way" in shop_front.visit(f"{order_url}?id_payment={checkout.id}")
    assert shop_front.shipped(order_url) == 1


def test_a_forged_return_fulfils_nothing(shop_front: RunningShop, shopper: Shopper) -> None:
    order_url, checkout = shop_front.order()
    other_url, paid = shop_front.order()
    assert shopper.pay(paid).status_code == 200

    page = shop_front.visit(f"{order_url}?id_payment={checkout.id}")
    assert "Not paid yet" in page
    assert checkout.redirect in page
    assert "Not paid yet" in shop_front.visit(f"{order_url}?id_payment={paid.id}")
    assert "Not paid yet" in shop_front.visit(f"{order_url}?id_payment={paid.id}&status=completed")

    assert shop_front.shipped(order_url) == 0
    assert "on its way" in shop_front.visit(other_url)


def test_a_declined_order_can_still_be_paid(shop_front: RunningShop, shopper: Shopper) -> None:
    order_url, checkout = shop_front.order()
    assert shopper.pay(checkout, DECLINED_CARD).status_code == 402
    assert "Not paid yet" in shop_front.visit(order_url)
    assert shopper.pay(checkout).status_code == 200
    assert "on its way" in shop_front.visit(order_url)
    assert shop_front.shipped(order_url) == 1


def test_an_order_that_is_given_up_is_not_fulfilled(
    shop_front: RunningShop, shopper: Shopper
) -> None:
    order_url, checkout = shop_front.order()
    back = shopper.cancel(checkout)
    assert shopper.way_out(back) == f"{order_url}?id_payment={checkout.id}"
    assert "was not paid" in shop_front.visit(order_url)
    assert shop_front.shipped(order_url) == 0


def test_an_order_is_fulfilled_although_its_shopper_never_returns(
    shop_front: RunningShop, shopper: Shopper
) -> None:
    order_url, checkout = shop_front.order()
    assert shopper.pay(checkout).status_code == 200
    if "flask_shop.py" in shop_front.command:
        for _ in range(2):
            settle = [sys.executable, "-m", "flask", "--app", "flask_shop.py", "settle"]
            ran = subprocess.run(
                settle,
                cwd=SHOPS,
                env=shop_front.environment,
                capture_output=True,
                text=True,
                check=True,
                timeout=TIMEOUT_SECONDS,
            )
            with shop_front.log.open("a") as log:
                log.write(ran.stdout)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not shop_front.shipped(order_url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert shop_front.shipped(order_url) == 1


@pytest.mark.parametrize("name", ["flask_shop.py", "express_shop.js"])
def test_the_page_shows_the_shop_that_is_run_here(name: str) -> None:
    page = (PROJECT / "docs/integrate.md").read_text("utf-8")
    assert (SHOPS / name).read_text("utf-8") in page
