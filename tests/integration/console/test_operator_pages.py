"""The console's pages for operators: accounts, keys, links and dead-letter queues."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from console.pages import queues
from perkwire.adapters.dynamodb import activity_log
from perkwire.managing.accounts import AccountManagement
from perkwire.model.account import Account
from perkwire.primitives.ids import AccountId
from perkwire.primitives.page import Page
from perkwire.reading.troubles import Overlooking, Overview
from tests.builders import an_account
from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.sign_in import enter
from tests.integration.system import System, Tenant, until
from tests.receiver import Receiver

REDRIVE = "/console/queues/redrives/new?queue=deliveries"
NAME = "Brew & Bean"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</textarea></title></style><svg onload=alert(1)>",
    "javascript:alert(1)",
)


def listing(operator: Browser, account_id: str) -> PageSeen:
    """The page of the list of accounts that this one is on: other tests have made many."""
    page = operator.get("/console/accounts")
    while account_id not in page.html:
        (following,) = [
            str(each["href"]) for _, each in page.elements if "cursor=" in str(each.get("href"))
        ]
        page = operator.get(following)
    return page


class TestOperatorPages:
    def test_an_account_is_made_changed_and_given_a_key_that_is_shown_once(
        self, system: System, operator: Browser
    ) -> None:
        form = operator.get("/console/accounts/new").form("/console/accounts")
        made = operator.submit(form, name="Zylker", notify_emails="ops@zylker.example\r\n\r\n")
        path = made.location.partition("?")[0]
        page = operator.get(made.location)
        assert "The account is created." in page.text
        assert "ops@zylker.example" in page.text

        edit = operator.get(f"{path}/edit").form(f"{path}/edit")
        assert ("notify_emails", "ops@zylker.example") in edit.fields
        operator.submit(edit, name="Zylker Coffee", notify_emails="")
        assert "Nobody gets notices" in operator.get(path).text

        new = operator.get(f"{path}/api-keys/new").form(f"{path}/api-keys")
        shown = operator.submit(new, name="backend", scopes=["events", "webhooks"])
        assert shown.status == 201
        (key,) = [code for code in shown.codes() if code.startswith("pk_")]
        system.secrets.add(key)
        assert system.call("GET", "/v1/webhooks", key=key).status == 200
        assert key not in operator.get(path).html

        (revoke,) = [one for one in operator.get(path).forms if one.action.endswith("/revoke")]
        assert revoke.button == "Revoke backend"
        operator.submit(revoke)
        assert system.call("GET", "/v1/webhooks", key=key).status == 403

    def test_what_is_wrong_stands_at_its_field_and_nothing_is_typed_twice(
        self, operator: Browser
    ) -> None:
        form = operator.get("/console/accounts/new").form("/console/accounts")

        page = operator.submit(form, name="Zylker", notify_emails="a@b.example\r\nnobody")

        assert page.status == 422
        again = dict(page.form("/console/accounts").fields)
        assert again["name"] == "Zylker"
        assert again["notify_emails"] == "a@b.example\nnobody"
        invalid = [each for _, each in page.elements if "aria-invalid" in each]
        assert [each["name"] for each in invalid] == ["notify_emails"]
        described = str(invalid[0]["aria-describedby"]).split()
        ids = [each.get("id") for _, each in page.elements]
        assert set(described) <= set(ids)

    def test_a_link_is_shown_once_and_works(
        self, operator: Browser, another_browser: Browser, tenant: Tenant
    ) -> None:
        path = f"/console/accounts/{tenant.id}"
        page = operator.submit(
            operator.get(path).form(f"{path}/console-links"), expires_in_minutes="5"
        )

        assert page.status == 201
        (url,) = [code for code in page.codes() if "/console/enter?token=" in code]
        assert url not in operator.get(path).html
        link = another_browser.get(urlsplit(url).path + "?" + urlsplit(url).query)
        assert another_browser.submit(link.form("/console/enter")).status == 303

    def test_too_long_a_link_is_refused_at_its_field(
        self, operator: Browser, tenant: Tenant
    ) -> None:
        path = f"/console/accounts/{tenant.id}"
        form = operator.get(path).form(f"{path}/console-links")

        for minutes in ("61", "0", "soon", "-1"):
            page = operator.submit(form, expires_in_minutes=minutes)
            assert page.status == 422
            assert "must be a whole number from 1 to 60" in page.text

    def test_an_operator_in_an_account_sees_so_on_every_page(
        self, operator: Browser, tenant: Tenant
    ) -> None:
        banner = "You are in the account Brew & Bean as an operator."
        assert banner not in operator.get("/console/accounts").text

        enter(operator, tenant)

        for path in ("/console/accounts", "/console/queues", "/console/no-such-page"):
            assert banner in operator.get(path).text
        operator.submit(operator.get("/console/queues").form("/console/leave"))
        assert banner not in operator.get("/console/accounts").text

    def test_what_is_not_there_is_a_page_that_says_so(self, operator: Browser) -> None:
        for path in (
            "/console/accounts/acct_0000000000000000",
            f"/console/accounts/{'a' * 129}",
            "/console/accounts/x/y/z",
            "/console/static/console.css",
        ):
            assert operator.get(path).status == 404

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_names_are_text_wherever_they_are_shown(
        self, system: System, operator: Browser, operator_key: str, name: str
    ) -> None:
        made = system.call("POST", "/v1/accounts", {"name": name}, key=operator_key).json
        path = f"/console/accounts/{made['id']}"
        new = operator.get(f"{path}/api-keys/new").form(f"{path}/api-keys")
        key_page = operator.submit(new, name=name, scopes="events")
        tenant_link = operator.submit(operator.get(path).form(f"{path}/console-links"))
        (url,) = [code for code in tenant_link.codes() if "token=" in code]
        operator.submit(operator.get(path).form(f"{path}/enter"))

        pages = [
            key_page,
            listing(operator, made["id"]),
            operator.get(path),
            operator.get(f"{path}/edit"),
            operator.get(f"{path}/api-keys/new"),
            operator.get("/console/enter?" + urlsplit(url).query),
            operator.submit(
                operator.get(f"{path}/edit").form(f"{path}/edit"), name=name, notify_emails=name
            ),
        ]

        for page in pages:
            assert " ".join(name.split()) in page.text or any(
                name == value for form in page.forms for _, value in form.fields
            )
            tags = {tag for tag, _ in page.elements}
            assert not tags & {"style", "svg", "iframe", "object", "base"}
            assert [each.get("src") for tag, each in page.elements if tag == "script"] == [
                each.get("src") for tag, each in pages[0].elements if tag == "script"
            ]
            for _, attributes in page.elements:
                assert not [each for each in attributes if each.startswith("on")]
                assert not str(attributes.get("href")).startswith("javascript:")

    def test_hostile_parameters_are_text_or_ignored(self, browser: Browser) -> None:
        for path in (
            "/console/sign-in?why=%3Cscript%3E&next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
            "/console/sign-in?done=%3Cscript%3E",
            "/console/enter?token=%22%3E%3Cscript%3E",
            "/console/%3Cscript%3Ealert(1)%3C/script%3E",
        ):
            page = browser.get(path)
            scripts = [each for tag, each in page.elements if tag == "script"]
            assert len(scripts) == 1, path


class TestQueues:
    @pytest.fixture
    def dead(self, system: System, tenant: Tenant, receiver: Receiver) -> Iterator[None]:
        """Three dead letters."""
        tenant.webhook(receiver.endpoint(*[500] * 99).url, name=f"till {tenant.id}")
        tenant.post(*tenant.some_events(3))
        system.route()
        system.dispatch_all()
        yield
        system.empty_queues()

    def figures(self, page: PageSeen) -> list[str]:
        parts = page.text.split("Resting")[1:]
        return [part.split()[0] for part in parts]

    def test_shows_what_rests_and_brings_it_back(
        self, dead: None, system: System, operator: Browser
    ) -> None:
        page = operator.get("/console/queues")
        assert self.figures(page) == ["3", "0", "0"]
        assert "Start DLQ redrive" in page.text
        name = system.queue("DeadLetterQueue").rpartition("/")[2]
        assert name in page.codes()

        confirm = operator.get(REDRIVE)
        assert ("max_per_second", "10") in confirm.form("/console/queues/redrives").fields
        assert "About 3 messages" in confirm.text
        done = operator.submit(confirm.form("/console/queues/redrives"))

        assert done.status == 303
        assert "The redrive is started." in operator.get(done.location).text
        until(lambda: len(system.bodies("DeliveryQueue")) == 3, "the redriven deliveries")
        until(lambda: "completed" in operator.get("/console/queues").text, "the redrive's end")
        after = operator.get("/console/queues")
        assert self.figures(after) == ["0", "0", "0"]
        assert "10 a second" in after.text

    def test_says_by_webhook_what_rests_and_that_it_will_come_back(
        self,
        dead: None,
        system: System,
        tenant: Tenant,
        operator: Browser,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # Other tests have made many accounts.
        account = replace(an_account(), id=AccountId(tenant.id), name=NAME)
        listed = Page([account], None)
        monkeypatch.setattr(AccountManagement, "list", lambda *_: listed)

        page = operator.get(REDRIVE)

        assert "Oldest by the logs, one that was accepted" in page.text
        assert f"till {tenant.id} {NAME} 3 " in page.text
        assert "failed with 500 Internal Server Error at" in page.text
        assert "it will come back here" in page.text
        assert "These are 3, by the logs" in page.text
        assert "SQS counts about" not in page.text
        step = re.search(
            r'formaction="([^"]+)" name="next" value="([^"]+jobs/new[^"]+)"', page.html
        )
        assert step is not None
        fields = dict(page.form("/console/leave").fields)
        job = html.unescape(step[2])
        assert operator.post(step[1], {**fields, "next": job}).location == job

    def test_a_redrive_is_asked_for_with_the_logs_of_so_many_accounts_and_no_more(
        self,
        dead: None,
        another_tenant: Tenant,
        operator: Browser,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        looked_at: list[int] = []
        look = Overlooking.look

        def counted(self: Overlooking, accounts: Sequence[Account]) -> Overview:
            looked_at.append(len(accounts))
            return look(self, accounts)

        monkeypatch.setattr(Overlooking, "look", counted)
        monkeypatch.setattr(queues, "_MOST_ACCOUNTS", 1)

        page = operator.get(REDRIVE)

        assert looked_at == [1]
        assert "of the first 1 accounts" in page.text

    def test_a_completed_redrive_of_what_rests_again_is_no_success(
        self, dead: None, system: System, operator: Browser
    ) -> None:
        operator.submit(operator.get(REDRIVE).form("/console/queues/redrives"))
        until(lambda: len(system.bodies("DeliveryQueue")) == 3, "the redriven deliveries")
        system.dispatch_all()

        until(
            lambda: "moved; resting in the queue now: 3" in operator.get("/console/queues").text,
            "the redrive's end",
        )

    def test_shows_what_waits_for_its_slot(
        self, system: System, tenant: Tenant, operator: Browser, receiver: Receiver
    ) -> None:
        tenant.webhook(receiver.endpoint().url, max_per_second=0.1)
        tenant.post(*tenant.some_events(95))
        system.route()

        page = operator.get("/console/queues")

        assert "Prompt 91 0 Slow 0 0" in page.text
        assert "Waiting4 Longest without a look at itnot measured yet" in page.text
        system.empty_queues()

    def test_a_slow_redrive_is_watched_and_cancelled(self, dead: None, operator: Browser) -> None:
        form = operator.get(REDRIVE).form("/console/queues/redrives")
        operator.submit(form, max_per_second="1")

        running = operator.get("/console/queues")
        assert "A redrive is running." in running.text
        assert "1 a second" in running.text
        assert any(each.get("data-reload") for _, each in running.elements)
        again = operator.submit(form)
        assert again.status == 409
        assert "cancel it or wait for its end" in again.text

        cancelled = operator.submit(running.form("/console/queues/redrives/cancel"))
        assert cancelled.status == 303
        until(lambda: "deliveries cancelled" in operator.get("/console/queues").text, "its end")
        activity = operator.get("/console/activity?subject=deliveries").text
        assert "Redrive cancelled" in activity
        assert "about 3 of deliveries, at most 1 a second" in activity

    def test_a_redrive_that_cannot_be_recorded_is_not_started(
        self,
        dead: None,
        system: System,
        operator: Browser,
        operator_key: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        form = operator.get(REDRIVE).form("/console/queues/redrives")
        # An item that DynamoDB will not have, as its partition has no name.
        monkeypatch.setattr(activity_log, "activity_pk", lambda _: "")

        asked = {"queue": "deliveries"}
        assert system.call("POST", "/v1/redrives", asked, key=operator_key).status == 503
        assert operator.submit(form).status == 503

        assert self.figures(operator.get("/console/queues")) == ["3", "0", "0"]

    def test_a_redrive_by_the_api_is_the_operators_activity(
        self, dead: None, system: System, operator_key: str
    ) -> None:
        asked = {"queue": "deliveries", "max_per_second": 7}
        assert system.call("POST", "/v1/redrives", asked, key=operator_key).status == 201
        until(lambda: len(system.bodies("DeliveryQueue")) == 3, "the redriven deliveries")

        newest = system.call(
            "GET", "/v1/activity", key=operator_key, query={"subject": "deliveries"}
        ).json["data"][0]

        assert newest["action"] == "redrive.started"
        assert newest["name"] == "about 3 of deliveries, at most 7 a second"
        assert newest["by"]["operator"] is True
        assert newest["by"]["kind"] == "api_key"

    def test_no_press_on_the_page_of_queues_starts_one(self, dead: None, operator: Browser) -> None:
        page = operator.get("/console/queues")

        assert [one.action for one in page.forms if "redrives" in one.action] == []
        assert REDRIVE in page.html

    @pytest.mark.parametrize(
        "fields", [{"max_per_second": "501"}, {"max_per_second": "fast"}, {"max_per_second": ""}]
    )
    def test_a_rate_that_sqs_does_not_know_is_refused(
        self, dead: None, operator: Browser, fields: dict[str, Any]
    ) -> None:
        form = operator.get(REDRIVE).form("/console/queues/redrives")

        page = operator.submit(form, **fields)

        assert page.status == 422
        assert "must be a whole number from 1 to 500" in page.text
