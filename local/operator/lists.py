"""`make block`, `make unblock`: a merchant's block and allow lists, local or deployed."""

import argparse
import sys

from local.operator.deployed import add_stack_options, open_stack, run
from payments.adapters.store.merchant_lists import MerchantListStore
from payments.risk.lists import Kind, ListName, entry


def main() -> int:
    options = _options()
    return run(options, lambda: change(options))


def change(options: argparse.Namespace) -> str:
    """Raises ValueError for a value the list cannot keep."""
    kind, name = Kind(options.kind), ListName(options.list)
    value = entry(kind, options.value)
    stack = open_stack(options.stack, options.aws_port)
    store = MerchantListStore(stack.aws_client, stack.outputs()["MerchantsTable"])
    (store.add if options.verb == "add" else store.remove)(options.merchant, name, kind, value)
    kept = store.of(options.merchant)
    entries = (kept.block if name is ListName.BLOCK else kept.allow).get(kind, frozenset())
    return f"{options.merchant}, {name} list, {kind}: {', '.join(sorted(entries)) or 'empty'}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.operator.lists", description=__doc__)
    add_stack_options(parser)
    parser.add_argument("verb", choices=["add", "remove"])
    parser.add_argument("--merchant", required=True, help="the merchant's id")
    parser.add_argument("--list", required=True, choices=[name.value for name in ListName])
    parser.add_argument("--kind", required=True, choices=[kind.value for kind in Kind])
    parser.add_argument("--value", required=True, help="a card by its fingerprint, never number")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
