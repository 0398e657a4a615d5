"""How Lambda calls us: services are built once, events become calls, errors become responses."""

import os
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from payments.errors import (
    AcquirerUnavailableError,
    AwsUnavailableError,
    ForeseenError,
    PaymentsError,
    RefusedError,
)
from payments.model.lifecycle import Status
from payments.model.payment import Payment
from payments.telemetry import error_name
from payments.web.error_responses import error_response
from payments.web.http import CORS_HEADERS, Request, Response
from payments.web.views import ViewContext
from payments.wiring import Services

Event = Mapping[str, Any]
_OUTCOME_METRICS = {
    Status.SUCCEEDED: "PaymentSucceeded",
    Status.AUTHORIZED: "PaymentAuthorized",
    Status.REQUIRES_ACTION: "AttemptDeclined",
    Status.FAILED: "PaymentFailed",
    Status.BLOCKED: "PaymentBlocked",
}


class Function:
    """Holds one function's services.

    In Lambda it is built during init, elsewhere on the first call: importing a handler touches
    neither environment nor network, and what init builds (clients, no secret, no time) may be
    cloned by SnapStart.
    """

    def __init__(self) -> None:
        self._services: Services | None = None
        if "AWS_LAMBDA_RUNTIME_API" in os.environ:
            self.build()

    def build(self, services: Services | None = None) -> None:
        """Builds the services from the environment as it is now, or takes the one given."""
        self._services = services or Services()

    @property
    def services(self) -> Services:
        if self._services is None:
            self.build()
        assert self._services is not None
        return self._services

    def log_error(self, error: Exception, request_id: str) -> None:
        """Type and place of an unforeseen error; never its message, which may quote input."""
        self.services.telemetry.count_unforeseen_error()
        self.services.telemetry.logger.error(
            "unforeseen error",
            request_id=request_id,
            error=error_name(error),
            place=traceback.format_tb(error.__traceback__),
        )


class ApiFunction(Function):
    """A function behind API Gateway. `show_error` says how its errors look."""

    def __init__(
        self,
        handle: Callable[[Request, Services], Response],
        show_error: Callable[[Request, Exception], Response],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__()
        self._handle = handle
        self._show_error = show_error
        self._headers = headers

    def __call__(self, event: Event, _context: object) -> dict[str, Any]:
        request = Request(event, self.services.settings.public_base_url)
        try:
            response = self._handle(request, self.services)
        except RefusedError as error:
            response = self._show_error(request, error)
        except ForeseenError as error:
            self.services.telemetry.measure("ForeseenUnavailable", 1)
            response = self._show_error(request, error)
        except Exception as error:  # noqa: BLE001 - the boundary: callers see no more than a 500 or 503
            self.log_error(error, request.request_id)
            response = self._show_error(request, error)
        self.services.telemetry.logger.info(
            "answered",
            request_id=request.request_id,
            method=request.method,
            resource=request.resource,
            status=response.status,
        )
        headers = {**self._headers, **response.headers}
        return Response(response.status, response.body, headers).to_gateway(request.request_id)


def merchant_function(handle: Callable[[Request, Services], Response]) -> ApiFunction:
    """A route of the merchant's API: JSON, readable from any origin."""
    return ApiFunction(
        handle, lambda request, error: error_response(error, request.language), CORS_HEADERS
    )


def view_context(request: Request, services: Services) -> ViewContext:
    """How this request's views are rendered."""
    return ViewContext(
        now_us=services.clock.now_us(),
        lifetime_seconds=services.settings.payment_lifetime_seconds,
        base_url=request.base_url,
        language=request.language,
    )


class TaskFailedError(PaymentsError):
    """A workflow task broke. Its text is fixed, for Step Functions keeps it for 90 days."""

    def __init__(self) -> None:
        super().__init__("the task failed; its log says where")


class TaskFunction(Function):
    """A task of the workflow. The names of its errors are what the workflow's retries know."""

    def __init__(self, handle: Callable[[Event, Services], object]) -> None:
        super().__init__()
        self._handle = handle

    def __call__(self, event: Event, context: Any) -> object:
        try:
            return self._handle(event, self.services)
        except AcquirerUnavailableError:
            raise AcquirerUnavailableError("the acquirer did not respond") from None
        except AwsUnavailableError as error:
            self.log_error(error, context.aws_request_id)
            raise AwsUnavailableError("an AWS service did not respond") from None
        except Exception as error:  # noqa: BLE001 - the boundary: no message leaves, because it may quote input
            self.log_error(error, context.aws_request_id)
            raise TaskFailedError from None


def outcome(payment: Payment | None, services: Services) -> dict[str, str]:
    """What a task reports of an attempt's end; None: somebody else had ended it."""
    if payment is None:
        return {"status": "over"}
    services.telemetry.count(
        _OUTCOME_METRICS.get(payment.status, "AttemptEnded"), payment.account.mode
    )
    return {"status": payment.status}
