"""What an account's own admin sets: who gets its notices, and its API keys."""

from collections.abc import Sequence
from http import HTTPStatus

from console.http.form import Form
from console.http.registry import Pages, Section
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
from perkwire.managing.ways_in import LastWayIn
from perkwire.model.account import ACCOUNT_SCOPES, MOST_KEYS, Account, same_address
from perkwire.primitives.ids import KeyId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.settings.console import ConsoleSettings

_PATH = "/console/account"


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the pages."""
    management = use_cases.accounts
    pages.sections.append(Section("Account", _PATH))
    pages.done |= {
        "addresses-changed": "The addresses are changed. New ones get a message first.",
        "own-key-revoked": "The API key is revoked. It may work for up to a minute more.",
    }

    def account_page(
        visit: Visit, *, status: int = 200, problem: Problem | None = None, key: str | None = None
    ) -> HtmlResponse:
        account = management.get(visit.caller, visit.account_id)
        confirmed = management.confirmed(account)
        return visit.page(
            "own_account.html",
            status=status,
            problem=problem,
            shown=account,
            emails=[(one, same_address(one) in confirmed) for one in account.notify_emails],
            keys=management.list_keys(visit.caller, account.id, MOST_KEYS, None),
            most_keys=MOST_KEYS,
            new_key=key,
        )

    @pages.page(_PATH)
    def show(visit: Visit) -> HtmlResponse:
        return account_page(visit)

    def addresses_page(
        visit: Visit,
        account: Account,
        form: Form,
        problem: Problem | None = None,
        undone: Sequence[Difference] = (),
    ) -> HtmlResponse:
        return visit.page(
            "own_addresses.html",
            problem=problem,
            form=form,
            shown=account,
            undone=undone,
            is_last=isinstance(problem, LastWayIn),
            may_add=visit.is_operator or visit.caller.scopes.issuperset(ACCOUNT_SCOPES),
        )

    @pages.page(f"{_PATH}/addresses")
    def show_addresses(visit: Visit) -> HtmlResponse:
        account = management.get(visit.caller, visit.account_id)
        return addresses_page(visit, account, _filled(account))

    @pages.form(f"{_PATH}/addresses")
    def change_addresses(visit: Visit) -> HtmlResponse:
        account = management.get(visit.caller, visit.account_id)
        mine, fresh = _fields(visit.form), _filled(account)
        if account.version not in visit.read_version and (
            undone := differences(visit.form, mine, _fields(fresh))
        ):
            both = merged(visit.form, fresh, undone)
            return addresses_page(visit, account, both, changed_meanwhile("account"), undone)
        try:
            management.change(
                visit.caller,
                account.id,
                mine,
                {account.version},
                even_if_last=_is_meant(visit.form),
            )
        except Problem as problem:
            return addresses_page(visit, account, visit.form, problem)
        return visit.go(_PATH, done="addresses-changed")

    def new_key_page(visit: Visit, problem: Problem | None = None) -> HtmlResponse:
        scopes = ACCOUNT_SCOPES if visit.is_operator else visit.caller.scopes
        return visit.page(
            "own_key_new.html",
            problem=problem,
            form=visit.form if problem else Form({}),
            offered=[scope for scope in ACCOUNT_SCOPES if scope in scopes],
        )

    @pages.page(f"{_PATH}/api-keys/new")
    def show_new_key(visit: Visit) -> HtmlResponse:
        return new_key_page(visit)

    @pages.form(f"{_PATH}/api-keys")
    def create_key(visit: Visit) -> HtmlResponse:
        value: dict[str, Json] = {
            "name": visit.form.text("name"),
            "scopes": [*visit.form.texts("scopes")],
        }
        try:
            _, key = management.create_key(visit.caller, visit.account_id, value)
        except Problem as problem:
            return new_key_page(visit, problem)
        return account_page(visit, status=HTTPStatus.CREATED, key=key)

    @pages.form(f"{_PATH}/api-keys/<key_id>/revoke")
    def revoke_key(visit: Visit, key_id: str) -> HtmlResponse:
        api_key = management.get_key(visit.caller, visit.account_id, KeyId(key_id))
        try:
            management.remove_key(
                visit.caller, visit.account_id, api_key.id, even_if_last=_is_meant(visit.form)
            )
        except LastWayIn as problem:
            return visit.page("own_key_last.html", problem=problem, api_key=api_key)
        return visit.go(_PATH, done="own-key-revoked")


def _is_meant(form: Form) -> bool:
    return form.text("even_if_last") == "true"


def _filled(account: Account) -> Form:
    """The form as the account is stored, and what of it was read."""
    fields = {"notify_emails": ["\n".join(account.notify_emails)]}
    read = digests(_fields(Form(fields)))
    return Form({**fields, VERSION: [str(account.version)], READ: [read]})


def _fields(form: Form) -> dict[str, Json]:
    return {"notify_emails": [*form.lines("notify_emails")]}
