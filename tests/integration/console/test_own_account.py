"""What an account's own admin sets without an operator: keys and addresses, in the console."""

from tests.integration.browsing import Browser
from tests.integration.managing.test_own_account import ACCOUNT, an_address, ids, new_key
from tests.integration.system import System, Tenant

PAGE = "/console/account"


class TestConsole:
    def test_an_admin_makes_and_revokes_a_key(
        self, system: System, tenant: Tenant, admin: Browser
    ) -> None:
        form = admin.get(f"{PAGE}/api-keys/new").form(f"{PAGE}/api-keys")
        shown = admin.submit(form, name="Till", scopes=["events"])
        assert shown.status == 201
        (key,) = [code for code in shown.codes() if code.startswith("pk_")]
        system.secrets.add(key)
        assert key not in admin.get(PAGE).html

        (revoke,) = [one for one in admin.get(PAGE).forms if one.button == "Revoke Till"]
        answer = admin.submit(revoke)
        assert answer.location == f"{PAGE}?done=own-key-revoked"
        assert "Till" not in admin.get(PAGE).text

    def test_the_last_key_is_revoked_by_who_says_so(self, tenant: Tenant, admin: Browser) -> None:
        (revoke,) = [one for one in admin.get(PAGE).forms if one.action.endswith("/revoke")]

        asked = admin.submit(revoke)

        assert asked.status == 409
        assert "Only your operator could let you in again." in asked.text
        assert len(ids(tenant)) == 1
        admin.submit(asked.form(revoke.action), even_if_last="true")
        assert "/console/sign-in" in admin.get(PAGE).location

    def test_scopes_that_a_key_has_not_are_not_offered(
        self, tenant: Tenant, browser: Browser
    ) -> None:
        browser.sign_in(new_key(tenant, "webhooks")["key"])

        page = browser.get(f"{PAGE}/api-keys/new")
        form = page.form(f"{PAGE}/api-keys")
        assert "send events" not in page.text
        refused = browser.submit(form, name="Till", scopes=["events"])

        assert refused.status == 403
        assert "must not go beyond what you may do yourself, as events does" in refused.text

    def test_addresses_are_changed_and_two_changes_are_both_shown(
        self, tenant: Tenant, admin: Browser
    ) -> None:
        mine, theirs = an_address(), an_address()
        form = admin.get(f"{PAGE}/addresses").form(f"{PAGE}/addresses")
        tenant.call("PATCH", ACCOUNT, {"notify_emails": [theirs]})

        both = admin.submit(form, notify_emails=mine)
        assert mine in both.text
        assert theirs in both.text

        saved = admin.submit(both.form(f"{PAGE}/addresses"), notify_emails=f"{mine}\r\n{theirs}")
        assert saved.location == f"{PAGE}?done=addresses-changed"
        assert [one["address"] for one in tenant.get(ACCOUNT)["notify_emails"]] == [mine, theirs]

    def test_what_is_wrong_with_an_address_stands_at_its_field(self, admin: Browser) -> None:
        form = admin.get(f"{PAGE}/addresses").form(f"{PAGE}/addresses")

        page = admin.submit(form, notify_emails="nobody")

        assert page.status == 422
        assert "must be an e-mail address" in page.text
        assert dict(page.form(f"{PAGE}/addresses").fields)["notify_emails"] == "nobody"
