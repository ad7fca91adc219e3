"""An HTTP API passes bodies on as they are, and adds no type to an answer that has none.

A Lambda proxy gets the bodies of text types as text, all others as base64. What AWS makes of bytes
of a text type that are not UTF-8 is not documented. The emulator puts U+FFFD in their place, which
the function can tell from one that was sent only by the length, and not at all where a request says
no length. Here they go as base64, so that the local system refuses such a body whatever it says.

The emulator also gives an answer without a content type that of JSON, a 204 without a body too.
"""

from contextvars import ContextVar
from typing import Any

from infra.local.patches import upstream

_is_text: ContextVar[bool] = ContextVar("is_text", default=True)


def apply() -> None:
    """Hand over bytes that are not UTF-8 as base64; answer 204 without a content type."""
    from ministack.services import apigateway

    has_text_type = upstream.lookup(apigateway, "_v2_request_body_is_text")
    invoke = upstream.lookup(apigateway, "_invoke_lambda_proxy")

    def is_text(content_type: str | None) -> bool:
        return _is_text.get() and has_text_type(content_type)

    async def with_its_bytes(
        integration: Any,  # noqa: ANN401
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: Any,  # noqa: ANN401
        body: bytes,
        *rest: Any,  # noqa: ANN401
        **named: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        _is_text.set(_is_utf8(body))
        status, answered, content = await invoke(
            integration, api_id, stage, path, method, headers, body, *rest, **named
        )
        if status == 204:
            answered = {k: v for k, v in answered.items() if k.lower() != "content-type"}
        return status, answered, content

    upstream.replace(apigateway, "_v2_request_body_is_text", is_text)
    upstream.replace(apigateway, "_invoke_lambda_proxy", with_its_bytes)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
