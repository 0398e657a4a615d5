"""What a command of the operator is, and how it is run: variables first, then the stack.

make hands over what was typed in the environment: there quotes are no danger, and `ps` shows no
key.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from local.operator.aws_problems import explain
from local.operator.deployed import DeployedStack
from local.variables import Variable, optional, read_all, shaped, whole_number
from payments.errors import AwsUnavailableError

STACK_VARIABLES = (
    optional(
        "STACK", shaped(r"[A-Za-z][A-Za-z0-9-]{0,127}", "a stack's name, like payments-dev"), ""
    ),
    optional("AWS_PORT", whole_number(1, 65535, "a port from 1 to 65535"), 4566),
)


@dataclass(frozen=True, slots=True)
class Command:
    """`run` takes the variables by their names in lower case, and `stack` unless it needs none.

    It returns what is printed. It raises ValueError or LookupError with what was wrong.
    """

    run: Callable[..., str]
    usage: str
    variables: tuple[Variable, ...] = ()
    needs_stack: bool = True


def execute(command: Command, typed: Mapping[str, str]) -> int:
    """The exit status. Nothing is asked of AWS before every variable is read."""
    values, problems = read_all(command.variables, typed)
    where, wrong_stack = read_all(STACK_VARIABLES if command.needs_stack else (), typed)
    if problems or wrong_stack:
        usage = f"Usage: make {command.usage}"
        return _failed("\n".join([*problems, *wrong_stack, usage]))
    try:
        if command.needs_stack:
            values["stack"] = DeployedStack(where["stack"], where["aws_port"])
        print(command.run(**values))
    except (AwsUnavailableError, ClientError, BotoCoreError) as error:
        return _failed(explain(error, where["stack"], where["aws_port"]))
    except (LookupError, ValueError) as error:
        return _failed(str(error.args[0]))
    return 0


def _failed(why: str) -> int:
    print(why, file=sys.stderr)
    return 1
