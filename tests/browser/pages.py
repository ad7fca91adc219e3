"""Every page of the console that can be opened by its address, in one place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from tests.browser.person import WIDE, Person
from tests.browser.scene import Scene


class Visitor(Enum):
    """Who opens a page."""

    NOBODY = auto()
    ADMIN = auto()
    OPERATOR = auto()
    INSIDE = auto()
    """An operator who has entered the account."""


@dataclass(frozen=True)
class PageToSee:
    """A page by its route in the console, opened by someone at an address of the scene."""

    route: str
    visitor: Visitor
    address: Callable[[Scene], str]
    what: str = ""

    @property
    def name(self) -> str:
        return f"{self.route} {self.what}".removeprefix("/console/").strip()

    def opened(
        self, visitors: Mapping[Visitor, Person], scene: Scene, size: tuple[int, int] = WIDE
    ) -> Person:
        """Whoever sees it, before the open page, nothing of which was cached."""
        person = visitors[self.visitor]
        person.looks_at(size, "light")
        person.forget_what_is_cached()
        person.open(self.address(scene))
        return person


def sign_in(person: Person, scene: Scene, visitor: Visitor) -> None:
    """As this visitor of the scene."""
    if visitor is Visitor.NOBODY:
        return
    if visitor is Visitor.ADMIN:
        person.sign_in(scene.account.key)
        return
    person.sign_in(scene.system.local["operator_key"])
    if visitor is Visitor.INSIDE:
        person.open(f"/console/accounts/{scene.account.id}")
        person.click("button", "Enter the account")
        person.is_at("Webhooks")


def _at(path: str) -> Callable[[Scene], str]:
    return lambda _scene: f"/console/{path}"


def _page(
    route: str,
    visitor: Visitor = Visitor.ADMIN,
    address: Callable[[Scene], str] | None = None,
    what: str = "",
) -> PageToSee:
    return PageToSee(f"/console/{route}", visitor, address or _at(route), what)


PAGES = (
    _page("sign-in", Visitor.NOBODY),
    _page("enter", Visitor.NOBODY, lambda scene: scene.link()),
    _page("enter", Visitor.NOBODY, _at("enter?token=used"), "that is used"),
    _page("link-by-mail", Visitor.NOBODY),
    _page("webhooks"),
    _page("webhooks", Visitor.INSIDE, what="of an account that an operator has entered"),
    _page("webhooks/new"),
    _page("webhooks/listen"),
    _page(
        "webhooks/listen",
        address=lambda scene: f"/console/webhooks/listen?as={scene.ledger['id']}",
        what="as a webhook",
    ),
    _page("webhooks/<webhook_id>", address=lambda scene: f"/console/webhooks/{scene.ledger['id']}"),
    _page(
        "webhooks/<webhook_id>",
        address=lambda scene: f"/console/webhooks/{scene.paused['id']}",
        what="that is paused",
    ),
    _page(
        "webhooks/<webhook_id>/edit",
        address=lambda scene: f"/console/webhooks/{scene.mailer['id']}/edit",
    ),
    _page(
        "webhooks/<webhook_id>/rotate",
        address=lambda scene: f"/console/webhooks/{scene.ledger['id']}/rotate",
    ),
    _page(
        "webhooks/<webhook_id>/delete",
        address=lambda scene: f"/console/webhooks/{scene.ledger['id']}/delete",
    ),
    _page("log"),
    _page("log", address=_at("log?event_type=nothing.like_it"), what="that is empty"),
    _page("log", address=_at("log?since=yesterday"), what="with a wrong filter"),
    _page("log/<delivery_id>", address=lambda scene: f"/console/log/{scene.failed['id']}"),
    _page(
        "log/<delivery_id>",
        address=lambda scene: f"/console/log/{scene.succeeded['id']}",
        what="that has succeeded",
    ),
    _page("log/retried", what="without anything"),
    _page("log/jobs"),
    _page("log/jobs/count", what="without a webhook"),
    _page("log/jobs/new"),
    _page("log/jobs/new", address=_at("log/jobs/new?kind=replay"), what="to replay"),
    _page("log/jobs/<job_id>", address=lambda scene: f"/console/log/jobs/{scene.job['id']}"),
    _page("log/sample"),
    _page("log/sample", address=_at("log/sample?event_type=points.earned"), what="of a type"),
    _page("events"),
    _page("events/<event_id>", address=lambda scene: f"/console/events/{scene.event_id}"),
    _page("erasures"),
    _page(
        "erasures/<erasure_id>", address=lambda scene: f"/console/erasures/{scene.erasure['id']}"
    ),
    _page("types"),
    _page("contracts"),
    _page("contracts", address=_at("contracts?from=loyaltylion%402"), what="begun with another"),
    _page("types/<event_type>", address=_at("types/points.earned")),
    _page("account"),
    _page("account/addresses"),
    _page("account/api-keys/new"),
    _page("activity"),
    _page("activity", Visitor.OPERATOR, what="of the operators"),
    _page("overview", Visitor.OPERATOR),
    _page("brand", Visitor.OPERATOR),
    _page("accounts", Visitor.OPERATOR),
    _page("accounts", Visitor.OPERATOR, _at("accounts?q=brew"), "that are looked for"),
    _page("accounts/new", Visitor.OPERATOR),
    _page(
        "accounts/<account_id>",
        Visitor.OPERATOR,
        lambda scene: f"/console/accounts/{scene.account.id}",
    ),
    _page(
        "accounts/<account_id>/edit",
        Visitor.OPERATOR,
        lambda scene: f"/console/accounts/{scene.account.id}/edit",
    ),
    _page(
        "accounts/<account_id>/api-keys/new",
        Visitor.OPERATOR,
        lambda scene: f"/console/accounts/{scene.account.id}/api-keys/new",
    ),
    _page("queues", Visitor.OPERATOR),
    _page("queues/redrives/new", Visitor.OPERATOR, _at("queues/redrives/new?queue=deliveries")),
    _page("inbox", Visitor.OPERATOR),
    _page(
        "inbox/<rejected_event_id>",
        Visitor.OPERATOR,
        lambda scene: f"/console/inbox/{scene.rejected_event_id}",
    ),
    _page("help"),
    _page("help", Visitor.OPERATOR, what="for an operator"),
    _page("nothing-here", what="that there is not"),
)

# Answered with a file or with another page.
NO_PAGES = {
    "/console",
    "/console/log/export.csv",
    "/console/log/export.json",
    "/console/types/<event_type>/schema.json",
    "/console/contracts/<format_name>/contract.json",
}


def page_of(route: str, what: str = "") -> PageToSee:
    """The one page of this route in the list."""
    (found,) = [one for one in PAGES if (one.route, one.what) == (f"/console/{route}", what)]
    return found
