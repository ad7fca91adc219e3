"""An HTTP API hides a function's failure from the caller.

When a function of a Lambda proxy integration fails, HTTP APIs answer 500
`{"message":"Internal Server Error"}`, and 503 `{"message":"Service Unavailable"}` when it is
throttled (https://repost.aws/knowledge-center/api-gateway-http-lambda-integrations). The emulator
answers as a REST API does, 502 or 429, with the exception's text in the body.
"""

import json
from collections.abc import Mapping
from typing import Any

from infra.local.patches import upstream


def apply() -> None:
    """Answer 500 or 503 without detail for a function that failed or was throttled."""
    from ministack.services import lambda_svc

    name = "lambda_execute_result_to_api_proxy_response"
    to_response = upstream.lookup(lambda_svc, name)

    def without_detail(result: Mapping[str, Any]) -> Any:  # noqa: ANN401
        if result.get("throttle"):
            return _answer(503, "Service Unavailable"), None
        if result.get("error"):
            return _answer(500, "Internal Server Error"), None
        return to_response(result)

    upstream.replace(lambda_svc, name, without_detail)


def _answer(status: int, message: str) -> dict[str, Any]:
    body = json.dumps({"message": message}, separators=(",", ":"))
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": body,
    }
