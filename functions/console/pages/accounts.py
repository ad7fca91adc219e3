"""Accounts, their API keys and console links: an operator's pages."""

from collections.abc import Sequence
from http import HTTPStatus

from console.http.form import Form
from console.http.registry import Needs, Pages, Section
from console.http.visit import HtmlResponse, Visit
from console.views.form_versions import (
    READ,
    VERSION,
    Difference,
    changed_meanwhile,
    differences,
    digests,
    merged,
)
from perkwire.adapters.wiring import UseCases
from perkwire.managing.signing_in import DEFAULT_LINK_MINUTES, LONGEST_LINK_MINUTES
from perkwire.model.account import Account, same_address
from perkwire.primitives.ids import AccountId, KeyId
from perkwire.primitives.page import Page
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.reading.account_search import find_accounts
from perkwire.settings.console import ConsoleSettings

_PAGE = 50
_MOST_KEYS = 100
_PATH = "/console/accounts"
_ACCOUNT = f"{_PATH}/<account_id>"


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    management = use_cases.accounts
    signing_in = use_cases.signing_in
    pages.sections.append(Section("Accounts", _PATH, Needs.OPERATOR))
    pages.done |= {
        "account-created": "The account is created. Give it an API key next.",
        "account-changed": "The account is changed.",
        "key-revoked": "The API key is revoked. Calls with it may still pass for up to a minute.",
        "links-ended": "The console links are over, and whoever came by one is signed out.",
    }

    @pages.page(_PATH, Needs.OPERATOR)
    def list_accounts(visit: Visit) -> HtmlResponse:
        cursor, text = visit.query.text("cursor") or None, visit.query.text("q").strip()
        if text:
            found = find_accounts(use_cases.account_store, text, cursor)
            accounts = Page(found.accounts, found.next_cursor)
            return visit.page("accounts.html", accounts=accounts, text=text, found=found)
        accounts = management.list(visit.caller, _PAGE, cursor)
        return visit.page("accounts.html", accounts=accounts, text="", found=None)

    @pages.page(f"{_PATH}/new", Needs.OPERATOR)
    def show_new(visit: Visit) -> HtmlResponse:
        return visit.page("account_new.html")

    @pages.form(_PATH, Needs.OPERATOR)
    def create(visit: Visit) -> HtmlResponse:
        try:
            account = management.create(visit.caller, _fields(visit.form))
        except Problem as problem:
            return visit.page("account_new.html", problem=problem, form=visit.form)
        return visit.go(f"{_PATH}/{account.id}", done="account-created")

    def account_page(
        visit: Visit,
        account_id: str,
        *,
        status: int = 200,
        problem: Problem | None = None,
        key: str | None = None,
        link: dict[str, Json] | None = None,
    ) -> HtmlResponse:
        """The account, with a new key or link this once; a problem is the link's."""
        account = management.get(visit.caller, AccountId(account_id))
        confirmed = management.confirmed(account)
        return visit.page(
            "account.html",
            status=status,
            problem=problem,
            form=visit.form if problem else Form({}),
            shown=account,
            emails=[(one, same_address(one) in confirmed) for one in account.notify_emails],
            keys=management.list_keys(visit.caller, account.id, _MOST_KEYS, None),
            new_key=key,
            new_link=link,
            link_minutes=DEFAULT_LINK_MINUTES,
            most_link_minutes=LONGEST_LINK_MINUTES,
        )

    @pages.page(_ACCOUNT, Needs.OPERATOR)
    def show(visit: Visit, account_id: str) -> HtmlResponse:
        return account_page(visit, account_id)

    @pages.page(f"{_ACCOUNT}/edit", Needs.OPERATOR)
    def show_edit(visit: Visit, account_id: str) -> HtmlResponse:
        account = management.get(visit.caller, AccountId(account_id))
        return edit_page(visit, account, _filled(account))

    def edit_page(
        visit: Visit,
        account: Account,
        form: Form,
        problem: Problem | None = None,
        undone: Sequence[Difference] = (),
    ) -> HtmlResponse:
        return visit.page(
            "account_edit.html", problem=problem, form=form, shown=account, undone=undone
        )

    @pages.form(f"{_ACCOUNT}/edit", Needs.OPERATOR)
    def change(visit: Visit, account_id: str) -> HtmlResponse:
        account = management.get(visit.caller, AccountId(account_id))
        mine, fresh = _fields(visit.form), _filled(account)
        if account.version not in visit.read_version and (
            undone := differences(visit.form, mine, _fields(fresh))
        ):
            both = merged(visit.form, fresh, undone)
            return edit_page(visit, account, both, changed_meanwhile("account"), undone)
        try:
            management.change(visit.caller, account.id, mine, {account.version})
        except Problem as problem:
            return edit_page(visit, account, visit.form, problem)
        return visit.go(f"{_PATH}/{account_id}", done="account-changed")

    @pages.page(f"{_ACCOUNT}/api-keys/new", Needs.OPERATOR)
    def show_new_key(visit: Visit, account_id: str) -> HtmlResponse:
        account = management.get(visit.caller, AccountId(account_id))
        return visit.page("api_key_new.html", shown=account)

    @pages.form(f"{_ACCOUNT}/api-keys", Needs.OPERATOR)
    def create_key(visit: Visit, account_id: str) -> HtmlResponse:
        account = management.get(visit.caller, AccountId(account_id))
        value: dict[str, Json] = {
            "name": visit.form.text("name"),
            "scopes": [*visit.form.texts("scopes")],
        }
        try:
            _, key = management.create_key(visit.caller, account.id, value)
        except Problem as problem:
            return visit.page("api_key_new.html", problem=problem, form=visit.form, shown=account)
        return account_page(visit, account_id, status=HTTPStatus.CREATED, key=key)

    @pages.form(f"{_ACCOUNT}/api-keys/<key_id>/revoke", Needs.OPERATOR)
    def revoke_key(visit: Visit, account_id: str, key_id: str) -> HtmlResponse:
        management.remove_key(visit.caller, AccountId(account_id), KeyId(key_id))
        return visit.go(f"{_PATH}/{account_id}", done="key-revoked")

    @pages.form(f"{_ACCOUNT}/console-links", Needs.OPERATOR)
    def create_link(visit: Visit, account_id: str) -> HtmlResponse:
        account = management.get(visit.caller, AccountId(account_id))
        minutes = visit.form.number("expires_in_minutes")
        value: dict[str, Json] = {} if minutes is None else {"expires_in_minutes": minutes}
        try:
            link, token = signing_in.create_link(visit.caller, account.id, value)
        except Problem as problem:
            return account_page(visit, account_id, problem=problem)
        shown = link.to_json(visit.console_url(settings.console_url), token)
        return account_page(visit, account_id, status=HTTPStatus.CREATED, link=shown)

    @pages.form(f"{_ACCOUNT}/console-links/end", Needs.OPERATOR)
    def end_links(visit: Visit, account_id: str) -> HtmlResponse:
        signing_in.end_links(visit.caller, AccountId(account_id))
        return visit.go(f"{_PATH}/{account_id}", done="links-ended")


def _filled(account: Account) -> Form:
    """The form as the account is stored, and what of it was read."""
    fields = {"name": [account.name], "notify_emails": ["\n".join(account.notify_emails)]}
    read = digests(_fields(Form(fields)))
    return Form({**fields, VERSION: [str(account.version)], READ: [read]})


def _fields(form: Form) -> dict[str, Json]:
    return {"name": form.text("name"), "notify_emails": [*form.lines("notify_emails")]}
