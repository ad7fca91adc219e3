"""Hostile strings in a webhook come to life on no page of the console."""

import json
from typing import Any

import pytest

from tests.integration.browsing import Browser
from tests.integration.console.webhook_forms import (
    FORM,
    NEW,
    element,
    is_harmless,
    preview_headers,
    send,
)
from tests.integration.system import System, Tenant
from tests.integration.trials.test_test_call import Lambda
from tests.receiver import Answer, Receiver

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</textarea></title></pre><svg onload=alert(1)>",
)


@pytest.mark.parametrize("hostile", HOSTILE)
class TestHostileStrings:
    def test_of_a_stored_webhook(
        self, client: Lambda, admin: Browser, tenant: Tenant, receiver: Receiver, hostile: str
    ) -> None:
        endpoint = receiver.endpoint(Answer(500, hostile.encode()))
        webhook = tenant.webhook(
            endpoint.url,
            name=hostile,
            description=hostile,
            program_ids=[hostile],
            format="voucherify@2024-01-01",
            format_settings={"event_name": hostile},
        )
        path = f"/console/webhooks/{webhook['id']}"
        test = next(one for one in admin.get(path).forms if one.button == "Send a test")
        pages = {page: admin.get(f"{path}{page}") for page in ("", "/edit", "/rotate", "/delete")}
        pages["test"] = admin.post(f"{path}/test", dict(test.fields))
        pages["list"] = admin.get(FORM)

        for page in pages.values():
            assert is_harmless(page)
            assert hostile in page.text
        assert pages["test"].text.count(hostile) > pages[""].text.count(hostile)

    def test_of_a_form_that_is_being_filled_in(self, admin: Browser, hostile: str) -> None:
        form = admin.get(NEW).form(FORM)
        fields = (
            "name",
            "url",
            "description",
            "format",
            "format_settings.event_name",
            "events",
            "event_types",
            "event_groups",
            "other_types",
            "program_ids",
            "header_name_0",
            "header_value_0",
            "batch_size",
            "secret",
            "event_type",
            "headers_are",
        )
        everything: dict[str, Any] = dict.fromkeys(fields, hostile)

        for path in (FORM, f"{FORM}/preview", f"{FORM}/form"):
            for format_name in (hostile, "standard", "voucherify"):
                page = send(admin, path, form, **{**everything, "format": format_name})
                assert page.status in (200, 422)
                assert is_harmless(page)
                kept = dict(page.form(FORM).fields)
                assert (kept["name"], kept["url"]) == (hostile, hostile)
                assert kept["header_value_0"] == hostile

    def test_of_a_preview(self, admin: Browser, hostile: str) -> None:
        page = send(
            admin,
            f"{FORM}/preview",
            admin.get(NEW).form(FORM),
            url="https://shop.example/hook",
            format="voucherify@2024-01-01",
            header_name_0="X-Shop",
            header_value_0=hostile,
            **{"format_settings.event_name": hostile},
        )

        assert is_harmless(page)
        assert preview_headers(page)["X-Shop"] == hostile
        assert json.loads(element(page, "preview-raw"))["type"] == hostile
        assert json.loads(element(page, "preview-pretty"))["type"] == hostile

    def test_of_a_url_that_no_rule_has_checked(
        self, system: System, admin: Browser, tenant: Tenant, hostile: str
    ) -> None:
        """What is stored has no such characters in it; the pages do not stand on that."""
        url = f"https://shop.example/{tenant.id}"
        webhook = tenant.webhook(url)
        for item in system.items("ConfigTable"):
            if item.get("url") == {"S": url}:
                system.stack.client("dynamodb").put_item(
                    TableName=system.stack.resources["ConfigTable"],
                    Item={**item, "url": {"S": hostile}},
                )
        path = f"{FORM}/{webhook['id']}"

        for page in (admin.get(one) for one in (FORM, path, f"{path}/delete")):
            assert is_harmless(page)
            assert hostile in page.text
        edit = admin.get(f"{path}/edit")
        assert is_harmless(edit)
        assert dict(edit.form(f"{path}/edit").fields)["url"] == hostile
