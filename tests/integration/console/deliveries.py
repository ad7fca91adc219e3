"""Deliveries for the console's pages, and what those show of them."""

from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, now, to_rfc3339
from tests.integration.browsing import PageSeen
from tests.integration.system import System, Tenant

LOG = "/console/log"
HOSTILE = "=cmd|' /C calc'!A1<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def hour_from_now(hours: float) -> str:
    """A moment as a date and time field holds it, in UTC."""
    return to_rfc3339(now() + int(hours * HOUR_SECONDS * MICROSECONDS))[:19]


def deliver(system: System, tenant: Tenant, count: int = 1) -> list[str]:
    """Post events and give each delivery all its attempts."""
    event_ids = tenant.post(*tenant.some_events(count))
    system.route()
    system.dispatch_all()
    return event_ids


def is_unbroken(page: PageSeen) -> bool:
    """Whether no text of a page has become one of its elements."""
    tags = [tag for tag, _ in page.elements]
    attributes = {name for _, attrs in page.elements for name in attrs}
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    own = all((attrs.get("src") or "").startswith("/console/static/") for attrs in scripts)
    return own and tags.count("html") == 1 and not any(one.startswith("on") for one in attributes)


def rows(page: PageSeen) -> list[str]:
    """The ids of the deliveries that a page of the log shows."""
    links = [attrs.get("href") or "" for tag, attrs in page.elements if tag == "a"]
    return [link.rpartition("/")[2] for link in links if link.startswith(f"{LOG}/dlv_")]
