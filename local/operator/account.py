"""What `make deploy` has to know of the AWS account, and what it sets there itself."""

from botocore.exceptions import ClientError

from local.operator.aws_problems import is_unknown_stack
from local.operator.deploy_plan import Account
from local.operator.deployed import DeployedStack


def look(stack: DeployedStack) -> Account:
    limits = stack.client("lambda").get_account_settings()["AccountLimit"]
    return Account(
        stack_status=stack_status(stack),
        has_log_role=_has_log_role(stack),
        concurrency=limits["ConcurrentExecutions"],
    )


def stack_status(stack: DeployedStack) -> str:
    try:
        (described,) = stack.cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    except ClientError as error:
        if is_unknown_stack(error):
            return ""
        raise
    return str(described["StackStatus"])


def _has_log_role(stack: DeployedStack) -> bool:
    """Whether API Gateway's setting names a role that exists.

    The setting outlives a role that was deleted with its stack.
    """
    arn = stack.client("apigateway").get_account().get("cloudwatchRoleArn", "")
    if not arn:
        return False
    try:
        stack.client("iam").get_role(RoleName=arn.rpartition("/")[2])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return False
        raise
    return True


def protect_from_deletion(stack: DeployedStack) -> None:
    stack.cloudformation.update_termination_protection(
        StackName=stack.name, EnableTerminationProtection=True
    )
