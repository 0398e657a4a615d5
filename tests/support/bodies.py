"""Bodies that are no JSON object, each in a way of its own."""

import json

from tests.support.actors import order


def nested(depth: int) -> bytes:
    """An order with arrays that deep in a field nobody knows."""
    body = json.dumps(order())
    return f'{body[:-1]}, "x": {"[" * depth}{"]" * depth}}}'.encode()


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n",
    "cut": b'{"amount": "5.00"',
    "open string": b'{"amount": "5.00',
    "single quotes": b"{'amount': '5.00'}",
    "names without quotes": b'{amount: "5.00"}',
    "comma at the end": json.dumps(order()).encode()[:-1] + b",}",
    "two objects": json.dumps(order()).encode() * 2,
    "comment": b"{} // nothing",
    "form": b"amount=5.00&currency=USD",
    "xml": b"<amount>5.00</amount>",
    "null": b"null",
    "true": b"true",
    "number": b"5",
    "string": b'"amount"',
    "array": b"[]",
    "array of orders": json.dumps([order()]).encode(),
    "NaN": json.dumps(order(x=float("nan"))).encode(),
    "Infinity": json.dumps(order(x=float("inf"))).encode(),
    "minus Infinity": json.dumps(order(x=float("-inf"))).encode(),
    "a number of 100 kilo-digits": b'{"x": ' + b"9" * 60_000 + b"}",
    "a leading zero": b'{"x": 01}',
    "a raw newline in a string": b'{"amount": "5\n00"}',
    "a raw NUL": b'{"amount": "5\x00"}',
    "a bad escape": b'{"amount": "\\x35"}',
    "half an escape": b'{"amount": "\\u00"}',
    "bytes that are no UTF-8": b"\xff\xfe\xfd",
    "UTF-16": json.dumps(order()).encode("utf-16"),
    "30,000 arrays deep": nested(30_000),
    "10,000 objects deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "arrays without end": b"[" * 60_000,
}
