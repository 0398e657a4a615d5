"""Why AWS did not do what a command asked, in words of the operator's."""

from collections.abc import Mapping
from typing import Any

from botocore import exceptions as aws
from botocore.exceptions import ClientError

_NO_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.ProfileNotFound,
    aws.TokenRetrievalError,
    aws.SSOError,
    aws.LoginError,
)
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_UNKNOWN_CREDENTIALS = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
)
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def explain(error: Exception, stack: str, aws_port: int) -> str:
    """What failed. An empty `stack` is the local one, whose emulated AWS listens on `aws_port`."""
    cause = error.__cause__ or error  # the stores' errors have botocore's own behind them
    if not stack:
        return _explain_local(cause, aws_port)
    match cause:
        case ClientError():
            return _explain_answer(cause, stack)
        case aws.NoRegionError() | aws.InvalidRegionError():
            return f"AWS_DEFAULT_REGION must name the AWS region of stack {stack}: {cause}"
        case aws.ConnectionError() | aws.HTTPClientError():
            return (
                f"AWS cannot be reached for stack {stack}: {cause} "
                "Check the network, and the region in AWS_DEFAULT_REGION."
            )
        case _ if isinstance(cause, _NO_CREDENTIALS):
            return f"There are no AWS credentials to reach stack {stack} with: {cause}"
        case _:
            return f"Stack {stack} could not be asked: {cause}"


def _explain_local(cause: BaseException, aws_port: int) -> str:
    if isinstance(cause, aws.ConnectionError):
        return (
            f"No local stack runs with AWS_PORT={aws_port}. Start one with make start, "
            "or name a deployed stack with STACK="
        )
    if is_unknown_stack(cause):
        return f"What listens on AWS_PORT={aws_port} is not the local stack of make start."
    return f"The local stack failed: {cause}"


def _explain_answer(error: ClientError, stack: str) -> str:
    answer: Mapping[str, Any] = error.response["Error"]
    code, message = answer.get("Code", ""), answer.get("Message", "")
    if is_unknown_stack(error):
        return f"There is no stack {stack} in this AWS account and region."
    if code in _EXPIRED:
        return f"The AWS credentials have expired. Sign in again. AWS said: {message}"
    if code in _UNKNOWN_CREDENTIALS:
        return f"AWS does not accept these credentials. AWS said: {code}: {message}"
    if code in _DENIED:
        return f"Access denied: these AWS credentials may not do this. AWS said: {message}"
    return f"AWS refused {error.operation_name} on stack {stack}: {code}: {message}"


def is_unknown_stack(error: BaseException) -> bool:
    """CloudFormation has no code of its own for this."""
    return (
        isinstance(error, ClientError)
        and error.response["Error"].get("Code") == "ValidationError"
        and "does not exist" in error.response["Error"].get("Message", "")
    )
