"""A: what authorizing costs, behind a gateway that remembers answers as the template says."""

from werkzeug.test import Client

from local import template
from local.emulator.demo import TEST_KEY, seed
from local.emulator.gateway import Gateway
from payments.adapters.aws import AwsClient
from payments.adapters.store.api_keys import ApiKeyStore
from payments.adapters.store.merchants import MerchantStore
from payments.use_cases.api_keys import ApiKeys
from tests.benchmarks.lives import Scene
from tests.benchmarks.rows import Row

KEYS_CALL = "dynamodb.GetItem"


def rows(scene: Scene) -> list[Row]:
    environment = scene.stage.aws.environments["AuthorizerFunction"]
    aws = AwsClient(scene.stage.outside)
    merchants = scene.stage.aws.environments["CheckoutFunction"]["MERCHANTS_TABLE"]
    seed(ApiKeys(ApiKeyStore(aws, environment["KEYS_TABLE"])), MerchantStore(aws, merchants))
    client = Client(_gateway(scene))

    def ask() -> None:
        # A query that no store is asked for: what is counted is the authorizer's.
        answer = client.get("/v1/payments/not-an-id", auth=(TEST_KEY, ""))
        assert answer.status_code == 404, answer.text

    cold, warm = scene.during(ask), scene.during(ask)
    assert [call.table for call in cold] == [environment["KEYS_TABLE"]] * len(cold)
    return [
        Row("A1", "authorizer, first request of a key: calls", len(cold), 1),
        Row("A1", "authorizer, while the gateway remembers: calls", len(warm), 0),
    ]


def _gateway(scene: Scene) -> Gateway:
    aws = scene.stage.aws
    (api,) = template.load({}).of_type("AWS::ApiGateway::RestApi").values()
    functions = {
        aws.resolve({"Ref": name}): handler for name, handler in scene.stage.handlers.items()
    }
    return Gateway(aws.resolve(api["Properties"]["Body"]), functions, "dev", "")
