"""Every state a shopper can see, and how to get there in a browser."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
    PAID_CARD,
    Checkout,
    Shopper,
)
from tests.support.stack import Stack

ORDER = {
    "amount": "64.90",
    "currency": "EUR",
    "description": "Two turquoise cushions",
    "items": ["Cushion, turquoise, 50 × 50 cm", "Cushion, turquoise, 40 × 60 cm", "Delivery"],
}


@dataclass(frozen=True)
class Scene:
    """A browser page, and the payment that is shown in it."""

    page: Page
    stack: Stack
    checkout: Checkout

    @property
    def status_url(self) -> str:
        secret = self.checkout.client_secret
        return f"{self.stack.url}/checkout/{self.checkout.id}?client_secret={secret}"

    def shopper(self) -> Shopper:
        return Shopper(self.stack)


def fill_in(page: Page, number: str, *, month: str = "12", year: str = "34") -> None:
    """The required fields, as they are found by their labels."""
    page.locator("#card_number").fill(number)
    page.locator("#exp_month").fill(month)
    page.locator("#exp_year").fill(year)
    page.locator("#cvc").fill("3140" if number.startswith("37") else "314")
    page.locator("#name").fill("Ada Lovelace")


def pay(page: Page, number: str, *, year: str = "34") -> None:
    fill_in(page, number, year=year)
    page.locator("#pay button").click()


def set_status(scene: Scene, status: str) -> None:
    """As the table reads between a submit and its outcome, for as long as is needed to look."""
    _, mode, merchant, _ = scene.checkout.client_secret.split("_")
    scene.stack.dynamodb.update_item(
        TableName=scene.stack.resources["PaymentsTable"],
        Key={"pk": {"S": f"{merchant}#{mode}"}, "id": {"S": scene.checkout.id}},
        UpdateExpression="SET #status = :status",
        ConditionExpression="attribute_exists(id)",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": status}},
    )


# ------------------------------------------------------------------------------ the states


def checkout(scene: Scene) -> None:
    scene.page.goto(scene.checkout.redirect)


def typing(scene: Scene) -> None:
    checkout(scene)
    fill_in(scene.page, "5555 5555 5555 4444")


def apple_pay_sheet(scene: Scene) -> None:
    checkout(scene)
    scene.page.locator("#apple_pay").click()


def google_pay_sheet(scene: Scene) -> None:
    checkout(scene)
    scene.page.locator("#google_pay").click()


def errors_before_sending(scene: Scene) -> None:
    checkout(scene)
    pay(scene.page, "4242 4242 4242 4241", year="")


def errors_from_the_server(scene: Scene) -> None:
    checkout(scene)
    pay(scene.page, PAID_CARD, year="20")


def contacting_the_bank(scene: Scene) -> None:
    """As between the click and the answer: the form is held back, so that there is time to look."""
    checkout(scene)
    scene.page.evaluate("window.addEventListener('submit', (event) => event.preventDefault())")
    pay(scene.page, PAID_CARD)


def declined(scene: Scene) -> None:
    checkout(scene)
    pay(scene.page, INSUFFICIENT_FUNDS_CARD)


def challenge(scene: Scene) -> None:
    checkout(scene)
    pay(scene.page, CHALLENGE_CARD)


def wrong_code(scene: Scene) -> None:
    challenge(scene)
    scene.page.locator("#code").fill("000000")
    scene.page.locator("button[value=pass]").click()


def challenge_open(scene: Scene) -> None:
    challenge(scene)
    checkout(scene)


def processing(scene: Scene) -> None:
    scene.shopper().pay(scene.checkout)
    set_status(scene, "processing")
    scene.page.goto(scene.status_url)


def paid(scene: Scene) -> None:
    scene.shopper().pay(scene.checkout)
    checkout(scene)


def canceled(scene: Scene) -> None:
    scene.shopper().cancel(scene.checkout)
    checkout(scene)


def failed(scene: Scene) -> None:
    for _ in range(5):
        scene.shopper().pay(scene.checkout, DECLINED_CARD)
    checkout(scene)


def unknown(scene: Scene) -> None:
    scene.page.goto(scene.status_url[:-1])


def expired(scene: Scene) -> None:
    """A state of a stack whose payments live two seconds."""
    for _ in range(30):
        checkout(scene)
        if not scene.page.locator("#pay").count():
            return
        scene.page.wait_for_timeout(100)


State = Callable[[Scene], None]
STATES: list[State] = [
    checkout,
    typing,
    apple_pay_sheet,
    google_pay_sheet,
    errors_before_sending,
    errors_from_the_server,
    contacting_the_bank,
    declined,
    challenge,
    wrong_code,
    challenge_open,
    processing,
    paid,
    canceled,
    failed,
    unknown,
]
