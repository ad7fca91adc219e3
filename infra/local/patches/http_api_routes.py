"""HTTP APIs get the routes, integrations and authorizers of their OpenAPI `Body`.

AWS::ApiGatewayV2::Api imports `Body`
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-api.html),
which is all that AWS::Serverless::HttpApi expands to. The emulator ignores it: the deployment
succeeds and every path answers 404.

Lambda proxy integrations and Lambda (REQUEST) authorizers only; anything else fails the
deployment, so that no route is ever left open by mistake.
"""

import json
from collections.abc import Mapping
from typing import Any

from infra.local.patches import upstream

type Json = Mapping[str, Any]

_ANY_METHOD = "x-amazon-apigateway-any-method"
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", _ANY_METHOD}


def apply() -> None:
    """Make CloudFormation import the `Body` of an HTTP API, at creation and at every change."""
    provisioner = upstream.resource_provisioner("AWS::ApiGatewayV2::Api")
    create, update = provisioner["create"], provisioner["update"]

    def create_with_routes(logical_id: str, properties: Json, stack_name: str) -> Any:  # noqa: ANN401
        api_id, attributes = create(logical_id, properties, stack_name)
        _import_body(api_id, properties)
        return api_id, attributes

    def update_with_routes(
        physical_id: str,
        old: Json,
        new: Json,
        *rest: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        api_id, attributes = update(physical_id, old, new, *rest)
        _import_body(api_id, new)
        return api_id, attributes

    provisioner["create"] = create_with_routes
    provisioner["update"] = update_with_routes


def _import_body(api_id: str, properties: Json) -> None:
    from ministack.services import apigateway

    body = properties.get("Body")
    if not isinstance(body, Mapping):
        return
    for store in ("_routes", "_integrations", "_authorizers"):
        upstream.lookup(apigateway, store)[api_id] = {}
    authorizers = {
        name: _create(apigateway._create_authorizer, api_id, _authorizer(name, scheme))
        for name, scheme in body.get("components", {}).get("securitySchemes", {}).items()
    }
    for path, operations in body.get("paths", {}).items():
        for method, operation in operations.items():
            if method in _METHODS:
                integration = _create(
                    apigateway._create_integration, api_id, _integration(path, operation)
                )
                _create(
                    apigateway._create_route,
                    api_id,
                    {
                        "routeKey": _route_key(method, path),
                        "target": f"integrations/{integration['integrationId']}",
                        **_authorization(operation, authorizers),
                    },
                )


def _create(action: Any, api_id: str, properties: Json) -> Json:  # noqa: ANN401
    status, _headers, body = action(api_id, properties)
    if status >= 400:
        raise ValueError(f"HTTP API import failed: {body!r}")
    created: Json = json.loads(body)
    return created


def _route_key(method: str, path: str) -> str:
    # SAM begins it with a slash only for APIs that fail on warnings.
    if path in ("$default", "/$default"):
        return "$default"
    return f"{'ANY' if method == _ANY_METHOD else method.upper()} {path}"


def _integration(path: str, operation: Json) -> Json:
    integration = operation.get("x-amazon-apigateway-integration", {})
    if integration.get("type", "").lower() != "aws_proxy":
        raise ValueError(f"{path}: only Lambda proxy integrations are supported locally")
    return {
        "integrationType": "AWS_PROXY",
        "integrationUri": integration["uri"],
        "payloadFormatVersion": str(integration.get("payloadFormatVersion", "2.0")),
    }


def _authorizer(name: str, scheme: Json) -> Json:
    authorizer = scheme.get("x-amazon-apigateway-authorizer", {})
    if authorizer.get("type", "").lower() != "request":
        raise ValueError(f"authorizer {name}: only Lambda authorizers are supported locally")
    source = authorizer.get("identitySource", "$request.header.Authorization")
    settings = {
        "name": name,
        "authorizerType": "REQUEST",
        "authorizerUri": authorizer["authorizerUri"],
        "identitySource": source.split(",") if isinstance(source, str) else list(source),
        "enableSimpleResponses": authorizer.get("enableSimpleResponses", False) in (True, "true"),
        "authorizerPayloadFormatVersion": str(
            authorizer.get("authorizerPayloadFormatVersion", "2.0")
        ),
    }
    if "authorizerResultTtlInSeconds" in authorizer:
        settings["authorizerResultTtlInSeconds"] = int(authorizer["authorizerResultTtlInSeconds"])
    return settings


def _authorization(operation: Json, authorizers: Mapping[str, Json]) -> Json:
    # "NONE" is how SAM writes a route that opts out of the default authorizer.
    names = {name for scheme in operation.get("security", []) for name in scheme} - {"NONE"}
    if not names:
        return {}
    (name,) = names
    return {"authorizationType": "CUSTOM", "authorizerId": authorizers[name]["authorizerId"]}
