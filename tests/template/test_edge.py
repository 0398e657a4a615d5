"""What may stand in front of the API: limits per address, and a domain."""

import re
import tomllib
from typing import Any

import pytest

from local.template import Template
from tests.support.intrinsics import is_true, refusals
from tests.support.stack import PROJECT

# WAF takes no limit below this.
LEAST_LIMIT = 10


def _rules(edge: Any) -> dict[str, Any]:
    acl = edge["Resources"]["AddressRates"]["Properties"]
    return {rule["Name"]: rule["Statement"]["RateBasedStatement"] for rule in acl["Rules"]}


def _counts(statement: Any, method: str, path: str) -> bool:
    """Whether WAF counts a request, by the statement that narrows a rule."""
    match statement:
        case {"OrStatement": {"Statements": inners}}:
            return any(_counts(inner, method, path) for inner in inners)
        case {"AndStatement": {"Statements": inners}}:
            return all(_counts(inner, method, path) for inner in inners)
        case {"ByteMatchStatement": {"FieldToMatch": {"Method": _}, "SearchString": wanted}}:
            return bool(method == wanted)
        case {"RegexMatchStatement": {"FieldToMatch": {"UriPath": _}, "RegexString": pattern}}:
            return re.search(pattern, path) is not None
    raise AssertionError(f"a statement this test cannot read: {statement}")


def _asks_for_key(operation: Any) -> bool:
    return any("ApiKey" in need for need in operation.get("security", []))


def _routes(deployed: Template) -> list[tuple[str, str, bool]]:
    """Method, path and whether it asks for a key, of every route with a function behind it."""
    (api,) = deployed.of_type("AWS::ApiGateway::RestApi").values()
    return [
        (method.upper(), path.replace("{", "").replace("}", ""), _asks_for_key(operation))
        for path, operations in api["Properties"]["Body"]["paths"].items()
        for method, operation in operations.items()
        if operation["x-amazon-apigateway-integration"]["type"] == "aws_proxy"
    ]


# ------------------------------------------------------------------------------ limits per address


@pytest.mark.parametrize("stage", ["", "/dev", "/prod"])
def test_what_sends_cards_or_belongs_to_challenges_is_counted_by_the_lower_limit(
    deployed: Template, edge: Any, stage: str
) -> None:
    """On the API's own address the stage is part of the path, on a domain it is not."""
    cards = _rules(edge)["cards"]["ScopeDownStatement"]
    counted = {(m, path) for m, path, _ in _routes(deployed) if _counts(cards, m, stage + path)}
    wanted = {
        (method, path)
        for method, path, asks_for_key in _routes(deployed)
        if path.startswith("/3ds/") or (method == "POST" and not asks_for_key)
    }
    assert ("POST", "/checkout/id") in counted
    assert counted == wanted


def test_every_request_is_counted_by_address_over_a_minute(edge: Any) -> None:
    rules = _rules(edge)
    assert rules.keys() == {"cards", "requests"}
    assert "ScopeDownStatement" not in rules["requests"]
    for rule in rules.values():
        assert (rule["AggregateKeyType"], rule["EvaluationWindowSec"]) == ("IP", 60)
    limits = {name: rule["Limit"]["Ref"] for name, rule in rules.items()}
    assert limits == {"cards": "CardsPerMinute", "requests": "RequestsPerMinute"}


def test_a_path_is_compared_as_the_api_reads_it(edge: Any) -> None:
    """Or an encoded letter would slip past the limit."""
    compared = re.findall(
        r"'UriPath'.*?'TextTransformations': (\[.*?\])", str(_rules(edge)["cards"])
    )
    assert len(compared) == 2
    for transformations in compared:
        assert re.findall(r"'Type': '(\w+)'", transformations) == ["URL_DECODE", "NORMALIZE_PATH"]


def test_one_client_cannot_use_up_what_all_share(source: Any) -> None:
    """The stage's limits are a ceiling far above those of an address."""
    default = {name: body["Default"] for name, body in source["Parameters"].items()}
    assert default["RequestsPerSecond"] * 60 >= 10 * default["RequestsPerMinute"]
    assert default["CardsPerMinute"] < default["RequestsPerMinute"]
    for name in ("RequestsPerMinute", "CardsPerMinute"):
        assert source["Parameters"][name]["MinValue"] == LEAST_LIMIT


def test_what_is_blocked_gets_the_api_s_own_answer_and_is_kept_nowhere(edge: Any) -> None:
    """A custom response would take the place of WAF_FILTERED; samples hold whole addresses."""
    acl = edge["Resources"]["AddressRates"]["Properties"]
    assert acl["DefaultAction"] == {"Allow": {}}
    for rule in acl["Rules"]:
        assert rule["Action"] == {"Block": {}}
        assert rule["VisibilityConfig"]["SampledRequestsEnabled"] is False
    assert acl["VisibilityConfig"]["SampledRequestsEnabled"] is False


def test_the_limits_stand_in_front_of_the_api_s_stage(source: Any, edge: Any) -> None:
    association = edge["Resources"]["AddressRatesOfTheApi"]["Properties"]
    assert association["WebACLArn"] == {"Fn::GetAtt": ["AddressRates", "Arn"]}
    arn = association["ResourceArn"]["Fn::Sub"]
    assert arn.endswith(":apigateway:${AWS::Region}::/restapis/${ApiId}/stages/${Stage}")
    given = source["Resources"]["Edge"]["Properties"]["Parameters"]
    assert (given["ApiId"], given["Stage"]) == ({"Ref": "Api"}, {"Ref": "Api.Stage"})


def test_addresses_are_limited_in_prod_and_cost_nothing_elsewhere(source: Any) -> None:
    config = tomllib.loads((PROJECT / "samconfig.toml").read_text())
    prod = config["prod"]["deploy"]["parameters"]["parameter_overrides"]
    assert "AddressLimits=yes" in prod
    assert source["Parameters"]["AddressLimits"]["Default"] == "no"


# ------------------------------------------------------------------------------ a domain


@pytest.mark.parametrize(
    ("domain", "limits", "stands"),
    [("", "no", False), ("", "yes", True), ("pay.example.com", "no", True)],
)
def test_there_is_an_edge_where_something_is_in_it(
    source: Any, domain: str, limits: str, stands: bool
) -> None:
    parameters = {"DomainName": domain, "AddressLimits": limits}
    conditions = source["Conditions"]
    assert source["Resources"]["Edge"]["Condition"] == "HasEdge"
    assert is_true(conditions["HasEdge"], parameters, conditions) is stands


def test_with_a_domain_the_api_s_own_address_is_off(deployed: Template) -> None:
    (api,) = deployed.of_type("AWS::ApiGateway::RestApi").values()
    (server,) = api["Properties"]["Body"]["servers"]
    endpoint = server["x-amazon-apigateway-endpoint-configuration"]
    assert endpoint == {"disableExecuteApiEndpoint": {"Fn::If": ["HasDomain", True, False]}}


def test_the_domain_leads_to_the_api_at_its_root_by_modern_tls(edge: Any) -> None:
    resources = edge["Resources"]
    mapping = resources["DomainMapping"]["Properties"]
    assert mapping == {
        "DomainName": {"Ref": "Domain"},
        "RestApiId": {"Ref": "ApiId"},
        "Stage": {"Ref": "Stage"},
    }
    assert resources["Domain"]["Properties"]["SecurityPolicy"] == "TLS_1_2"
    assert {resources[name]["Condition"] for name in ("Domain", "DomainMapping")} == {"HasDomain"}


def test_the_domain_s_record_is_made_only_where_its_zone_is_named(edge: Any) -> None:
    assert edge["Resources"]["DomainRecord"]["Condition"] == "MakesRecord"
    conditions = edge["Conditions"]

    def makes(domain: str, zone: str) -> bool:
        parameters = {"DomainName": domain, "HostedZoneId": zone}
        return is_true(conditions["MakesRecord"], parameters, conditions)

    assert makes("pay.example.com", "Z1")
    assert not makes("pay.example.com", "")
    assert not makes("", "Z1")


def test_a_domain_needs_its_certificate(source: Any) -> None:
    domain = {"DomainName": "pay.example.com"}
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
    assert refusals(source, domain) == ["DomainHasItsCertificate"]
    assert refusals(source, domain | {"CertificateArn": arn}) == []


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("DomainName", "pay.example.com", "https://pay.example.com"),
        ("DomainName", "", "pay.example.com/"),
        ("CertificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/a-1", "a-1"),
        ("HostedZoneId", "Z0123ABC", "example.com"),
        ("AlarmTopicArn", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:ops", "ops"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(
    source: Any, name: str, right: str, wrong: str
) -> None:
    pattern = source["Parameters"][name]["AllowedPattern"]
    assert re.fullmatch(pattern, right)
    assert not re.fullmatch(pattern, wrong)
