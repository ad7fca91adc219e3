"""The code that the console shows beside a new secret, saved and run against a delivery."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from console.views.receiver_code import receiver_code
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.registry import FORMATS
from perkwire.primitives.fields import Fields
from perkwire.primitives.strict_json import Json
from tests.builders import NOW, a_delivery_message, a_webhook

QUALIFIO = FORMATS["qualifio"]
_MODULES = ("qualifio", "plain_hmac", "checked")


def saved(code: str, folder: Path) -> None:
    """Each part of the code under the name in its first line."""
    for name, part in re.findall(r"^# (\w+\.py)\n(.*?)(?=^# \w+\.py\n|\Z)", code, re.M | re.S):
        (folder / name).write_text(part, encoding="utf-8")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"signature_header": "x-qualifio-signature"},
        {"signature_algorithm": "sha1", "signature_prefix": "sha1="},
        {"signature_encoding": "base64"},
        {
            "signature_algorithm": "sha1",
            "signature_prefix": "sha1=",
            "signature_encoding": "base64",
        },
        {"signature_header": "X-Own", "signature_algorithm": "sha512", "signature_prefix": '"='},
    ],
    ids=str,
)
def test_code_for_qualifio_is_of_the_webhooks_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Json]
) -> None:
    settings = QUALIFIO.read_settings(Fields(given))
    webhook = a_webhook(format="qualifio", format_settings=settings)
    request = render(a_delivery_message(webhook), webhook, OpenedSecrets("mysecret", {}), NOW)
    saved(receiver_code("qualifio", settings)["Python"], tmp_path)
    for module in _MODULES:
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))

    import qualifio  # type: ignore[import-not-found]

    headers: dict[str, Any] = {name.lower(): value for name, value in request.headers.items()}
    assert [*qualifio.events(headers, request.body, "mysecret")] == [
        one["eventId"] for one in json.loads(request.body)
    ]
    assert qualifio.events(headers, request.body + b" ", "mysecret") is None
    for module in _MODULES:
        monkeypatch.delitem(sys.modules, module)
