"""A small shop that sells tea: one order, one payment, fulfilled exactly once.

Run it with `python flask_shop.py`, beside the payments API. It needs `flask` and `requests`.
"""

import os
import sqlite3
import time
import uuid
from contextlib import closing

import requests
from flask import Flask, abort, redirect
from werkzeug.exceptions import HTTPException

API = os.environ.get("PAYMENTS_API", "http://127.0.0.1:8000")
KEY = os.environ.get("PAYMENTS_KEY", "sk_test_51O62xYzAbcDef123")
PORT = int(os.environ.get("PORT", "3000"))
SHOP_URL = os.environ.get("SHOP_URL", f"http://127.0.0.1:{PORT}")
DATABASE = os.environ.get("SHOP_DATABASE", "shop.db")
TRIES = 3
ENDED = ("failed", "canceled", "expired", "blocked", "refunded")

app = Flask(__name__)


def database():
    connection = sqlite3.connect(DATABASE)
    connection.row_factory = sqlite3.Row
    return closing(connection)


def find(order_id):
    with database() as db:
        order = db.execute("SELECT * FROM orders WHERE id = ?", [order_id]).fetchone()
    return order or abort(404)


def ask(method, path, **options):
    """One call of the API. Sending it again is safe: a create carries an Idempotency-Key."""
    for attempt in range(TRIES):
        try:
            answer = requests.request(method, API + path, auth=(KEY, ""), timeout=30, **options)
            if answer.status_code < 500 and answer.status_code != 429:
                answer.raise_for_status()  # a 4xx is a mistake of ours: trying again cannot help
                return answer.json()
        except (requests.ConnectionError, requests.Timeout):
            pass  # whether it arrived is unknown: the same key asks for the same payment
        time.sleep(2**attempt)
    return abort(503)


@app.get("/")
def front():
    return '<form method="post" action="/orders"><button>Buy tea for 9.90 EUR</button></form>'


@app.post("/orders")
def order():
    """The price is the shop's own. Nothing that the shopper sends decides what is charged."""
    order_id = uuid.uuid4().hex
    with database() as db, db:
        db.execute("INSERT INTO orders (id, status) VALUES (?, 'open')", [order_id])
    created = ask(
        "POST",
        "/v1/payments/",
        headers={"Idempotency-Key": f"order-{order_id}"},
        json={
            "amount": "9.90",
            "currency": "EUR",
            "description": f"Order {order_id}",
            "items": ["Tea"],
            "return_url": f"{SHOP_URL}/orders/{order_id}",
            "metadata": {"order": order_id},
        },
    )["data"]
    with database() as db, db:
        db.execute("UPDATE orders SET payment = ? WHERE id = ?", [created["id_payment"], order_id])
    return redirect(created["redirect"], 303)


@app.get("/orders/<order_id>")
def returned(order_id):
    """The shopper is back. The `id_payment` in the URL proves nothing: anybody can type one."""
    payment = settle(find(order_id))
    if payment["paid"]:
        return "Thank you. Your tea is on its way."
    if payment["status"] == "processing":
        return "Your payment is being processed.", 200, {"Refresh": "3"}
    if payment["status"] == "requires_action":
        return f'Not paid yet. <a href="{payment["redirect"]}">Pay now</a>'
    return 'This order was not paid. <a href="/">Start again</a>'


def settle(order):
    """Asks for the payment that was stored with this order, and acts on what it says."""
    if order["payment"] is None:
        abort(409)
    payment = ask("GET", f"/v1/payments/{order['payment']}")
    if payment["paid"]:
        fulfil(order["id"])
    elif payment["status"] in ENDED:
        close(order["id"])
    return payment


def fulfil(order_id):
    """Of any number of calls, one finds the order open and changes it: that one ships."""
    with database() as db, db:
        changed = db.execute(
            "UPDATE orders SET status = 'fulfilled' WHERE id = ? AND status = 'open'", [order_id]
        )
    if changed.rowcount == 1:
        print(f"SHIP {order_id}", flush=True)


def close(order_id):
    with database() as db, db:
        db.execute(
            "UPDATE orders SET status = 'unpaid' WHERE id = ? AND status = 'open'", [order_id]
        )


@app.cli.command("settle")
def settle_open_orders():
    """Run this every minute: shoppers pay, close the tab, and never come back."""
    with database() as db:
        waiting = "SELECT * FROM orders WHERE status = 'open' AND payment IS NOT NULL"
        orders = db.execute(waiting).fetchall()
    for waiting_order in orders:
        try:
            settle(waiting_order)
        except (requests.RequestException, HTTPException) as error:
            print(f"{waiting_order['id']}: {error}")  # the next run asks again


with database() as setup, setup:
    setup.execute(
        "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, status TEXT, payment TEXT)"
    )

if __name__ == "__main__":
    app.run(port=PORT)
