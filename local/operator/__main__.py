"""The operator's commands, by the names of their make targets: `python -m local.operator key`."""

import os
import sys

from local.operator import backup, deploy, deployed, keys, lists, merchants, smoke
from local.operator.command import Command, execute
from local.operator.merchants import MERCHANT

_ENTRY = "MERCHANT=acme KIND=ip VALUE=203.0.113.0/24 [LIST=block] [STACK=]"
_LIST_VARIABLES = (MERCHANT, lists.KIND, lists.VALUE, lists.LIST)

COMMANDS = {
    "merchant": Command(
        merchants.save,
        "merchant MERCHANT=acme NAME='Acme Inc' EMAIL=help@acme.example COUNTRY=US "
        "[DESCRIPTOR= LOCAL_CURRENCY= SETTLEMENT_CURRENCY= FEE= JSON_CARDS= "
        "FRAUD_RULES_IN_TEST=] [STACK=]",
        merchants.PROFILE,
    ),
    "key": Command(keys.issue, "key MERCHANT=acme MODE=test [STACK=]", (MERCHANT, keys.MODE)),
    "keys": Command(keys.show, "keys MERCHANT=acme [STACK=]", (MERCHANT,)),
    "rotate": Command(
        keys.rotate,
        "rotate KEY=sk_test_… [OVERLAP_HOURS=24] [STACK=]",
        (keys.KEY, keys.OVERLAP_HOURS),
    ),
    "revoke": Command(keys.revoke, "revoke KEY=sk_test_… [STACK=]", (keys.KEY,)),
    "block": Command(lists.add, f"block {_ENTRY}", _LIST_VARIABLES),
    "unblock": Command(lists.remove, f"unblock {_ENTRY}", _LIST_VARIABLES),
    "outputs": Command(deployed.outputs, "outputs [STACK=]"),
    "smoke": Command(smoke.smoke, "smoke [TIMES=1] [STACK=]", (smoke.TIMES,)),
    "backup": Command(backup.backup, "backup [STACK=]"),
    "restore": Command(
        backup.restore,
        "restore TABLE=PaymentsTable [AT=2030-01-31T12:00:00Z or BACKUP=arn:…] [STACK=]",
        (backup.TABLE, backup.AT, backup.BACKUP),
    ),
    "deploy": Command(
        deploy.deploy,
        "deploy [ENV=dev] [ARCH=x86_64] [CONFIRM=no] [AlarmEmail=you@example.com …]",
        deploy.VARIABLES,
        needs_stack=False,
    ),
}


def main() -> int:
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in COMMANDS:
        print(f"One of these is expected: {', '.join(COMMANDS)}", file=sys.stderr)
        return 1
    return execute(COMMANDS[name], os.environ)


if __name__ == "__main__":
    sys.exit(main())
