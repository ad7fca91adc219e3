"""What API Gateway documents of HTTP APIs with Lambda proxies and a Lambda authorizer."""

import copy
import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra.local.emulator import Emulator
from tests.local.recorder import Deploy

CODE = """
import json, os, time

def authorize(event, context):
    key = event["headers"]["authorization"]
    return {"isAuthorized": key == "Bearer good", "context": {"account": "acct_1"}}

def handler(event, context):
    if event["rawPath"] == "/v1/raise":
        raise RuntimeError("a secret detail")
    if event["rawPath"] == "/v1/environment":
        return {"statusCode": 200, "body": json.dumps(dict(os.environ))}
    if event["rawPath"] == "/v1/slow":
        time.sleep(0.2)
    if event["rawPath"] == "/v1/import":
        import pytest
    return {"statusCode": 201, "headers": {"X-Path": event["rawPath"]}, "body": json.dumps(event)}
"""


def function(handler: str, **properties: object) -> dict[str, Any]:
    return {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": f"index.{handler}",
            "InlineCode": CODE,
            **properties,
        },
    }


TEMPLATE: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Api": {
            "Type": "AWS::Serverless::HttpApi",
            "Properties": {
                "Auth": {
                    "DefaultAuthorizer": "Key",
                    "Authorizers": {
                        "Key": {
                            "FunctionArn": {"Fn::GetAtt": ["Authorizer", "Arn"]},
                            "AuthorizerPayloadFormatVersion": "2.0",
                            "EnableSimpleResponses": True,
                            "Identity": {"Headers": ["Authorization"]},
                        }
                    },
                }
            },
        },
        "Authorizer": function("authorize"),
        "Function": function(
            "handler",
            Events={
                "All": {
                    "Type": "HttpApi",
                    "Properties": {
                        "ApiId": {"Ref": "Api"},
                        "Method": "ANY",
                        "Path": "/v1/{proxy+}",
                    },
                },
                "Open": {
                    "Type": "HttpApi",
                    "Properties": {
                        "ApiId": {"Ref": "Api"},
                        "Method": "GET",
                        "Path": "/open",
                        "Auth": {"Authorizer": "NONE"},
                    },
                },
            },
        ),
    },
}


@pytest.fixture
def api(deploy: Deploy, emulator: Emulator) -> str:
    deploy(TEMPLATE)
    return emulator.url


def call(url: str, key: str | None = "good", body: bytes | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    headers |= {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_route_reaches_its_function_at_the_root_of_the_address(api: str) -> None:
    status, event = call(f"{api}/v1/a%20b/c?x=1&x=2", body=b'{"n": 1}')
    assert status == 201
    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /v1/{proxy+}"
    assert event["rawPath"] == "/v1/a b/c"
    assert event["pathParameters"] == {"proxy": "a b/c"}
    assert event["rawQueryString"] == "x=1&x=2"
    assert event["body"] == '{"n": 1}'
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["authorizer"] == {"lambda": {"account": "acct_1"}}


@pytest.mark.parametrize(
    ("key", "status", "message"), [(None, 401, "Unauthorized"), ("bad", 403, "Forbidden")]
)
def test_authorizer_guards_the_route(api: str, key: str | None, status: int, message: str) -> None:
    assert call(f"{api}/v1/x", key=key) == (status, {"message": message})


def test_route_may_opt_out_of_the_authorizer(api: str) -> None:
    assert call(f"{api}/open", key=None)[0] == 201


def test_path_without_a_route_is_not_found(api: str) -> None:
    assert call(f"{api}/elsewhere") == (404, {"message": "Not Found"})


def test_the_default_route_takes_what_no_other_does_and_asks_for_a_key_too(
    deploy: Deploy, emulator: Emulator
) -> None:
    template = copy.deepcopy(TEMPLATE)
    events = template["Resources"]["Function"]["Properties"]["Events"]
    anything = {"ApiId": {"Ref": "Api"}, "Method": "ANY", "Path": "$default"}
    events["Anything"] = {"Type": "HttpApi", "Properties": anything}
    deploy(template)

    status, event = call(f"{emulator.url}/elsewhere/x")
    assert (status, event["routeKey"], event["rawPath"]) == (201, "$default", "/elsewhere/x")
    assert call(f"{emulator.url}/v1/x")[1]["routeKey"] == "ANY /v1/{proxy+}"
    assert call(f"{emulator.url}/elsewhere", key=None) == (401, {"message": "Unauthorized"})


def test_failure_of_a_function_shows_no_detail(api: str) -> None:
    assert call(f"{api}/v1/raise") == (500, {"message": "Internal Server Error"})


def test_function_sees_its_own_packages_only(api: str) -> None:
    assert call(f"{api}/v1/import") == (500, {"message": "Internal Server Error"})


def test_function_sees_the_emulator_and_nothing_of_the_host(api: str) -> None:
    _status, environment = call(f"{api}/v1/environment")
    assert environment["AWS_ENDPOINT_URL"] == api
    assert environment["AWS_REGION"] == "us-east-1"
    assert "PYTEST_VERSION" not in environment
    assert not {"VIRTUAL_ENV", "PYTHONPATH", "USER", "AWS_PROFILE"} & environment.keys()


def test_many_requests_share_few_processes(api: str, emulator: Emulator) -> None:
    def used() -> set[str]:
        return {path.name for path in (emulator.home / "tmp").glob("*-Function-*")}

    before = used()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(call, [f"{api}/v1/slow"] * 16))
    assert {status for status, _event in answers} == {201}
    assert len(used() - before) <= 6
