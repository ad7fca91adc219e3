"""Everything sent about a member: GET /v1/events?member=…."""

from typing import Any

import pytest

from perkwire.adapters.dynamodb.event_table import MentionItem
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

ADA = {"id": "m-1", "email": "Ada@Member.example"}


@pytest.fixture
def with_addresses(system: System) -> None:
    system.restart(MEMBER_INDEX="ids-and-emails")


def found(tenant: Tenant, member: str, **query: str) -> list[str]:
    return [one["id"] for one in tenant.get("/v1/events", member=member, **query)["data"]]


def named(tenant: Tenant, event_id: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"id": event_id, "type": "custom.said", "data": data}


@pytest.mark.usefixtures("with_addresses")
def test_a_members_events_are_found_with_what_became_of_each_at_each_webhook(
    system: System, tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    good, bad = receiver.endpoint(), receiver.endpoint()
    bad.answer(500)
    for event_types, endpoint in ((["*"], good), (["custom.said"], bad)):
        tenant.webhook(endpoint.url, event_types=event_types)
    tenant.post(
        named(tenant, "said", member=ADA),
        named(tenant, "other", member={"id": "m-2"}),
        {"id": "earned", "type": "points.earned", "data": _points()},
    )
    another_tenant.post(named(another_tenant, "theirs", member=ADA))
    system.route()
    system.dispatch()

    page = tenant.get("/v1/events", member="m-1")

    assert [one["id"] for one in page["data"]] == ["earned", "said"]
    (earned, said) = ([one["status"] for one in event["deliveries"]] for event in page["data"])
    assert (earned, sorted(said)) == (["succeeded"], ["retrying", "succeeded"])
    assert page["data"][1]["deliveries"] == tenant.get("/v1/events/said")["deliveries"]
    assert found(tenant, " ada@member.EXAMPLE ") == ["earned", "said"]
    assert found(another_tenant, "m-1") == ["theirs"]
    assert found(tenant, "m-1", type="points.earned") == ["earned"]


def _points() -> dict[str, Any]:
    return {"member": ADA, "transaction": {"id": "t-1", "points": 5}}


def test_the_list_goes_on_behind_its_last_event(system: System, tenant: Tenant) -> None:
    ids = [f"e-{position}" for position in range(5)]
    tenant.post(*(named(tenant, one, member_id=7) for one in ids))
    system.route()

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = tenant.get("/v1/events", member="7", limit="2", **cursor)
        seen += [one["id"] for one in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert seen == ids[::-1]


def test_the_table_holds_no_name(system: System, tenant: Tenant) -> None:
    system.restart(MEMBER_INDEX="ids-and-emails")
    tenant.post(named(tenant, "said", member={"id": "m-of-the-table", "email": "t@able.example"}))
    system.route()

    items = [item for item in MentionItem.scan() if item.pk.startswith(tenant.id)]

    assert len(items) == 2
    for item in items:
        text = f"{item.pk} {item.sk}"
        assert "m-of-the-table" not in text
        assert "able" not in text
        assert item.expires_at is not None


@pytest.mark.parametrize(("index", "ids", "addresses"), [("ids", 1, 0), ("ids-and-emails", 1, 1)])
def test_the_stack_says_what_is_found(
    index: str, ids: int, addresses: int, system: System, tenant: Tenant
) -> None:
    system.restart(MEMBER_INDEX=index)
    tenant.post(named(tenant, "said", member=ADA))
    system.route()

    assert len(found(tenant, "m-1")) == ids
    assert len(found(tenant, "ada@member.example")) == addresses


@pytest.mark.parametrize(
    ("index", "member", "detail"),
    [
        ("none", "m-1", "is not kept here: MemberIndex is none"),
        ("ids", " ", "must be an id or an e-mail address of 1 to 320 characters"),
        ("ids", "x" * 321, "must be an id or an e-mail address of 1 to 320 characters"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(
    index: str, member: str, detail: str, system: System, tenant: Tenant
) -> None:
    system.restart(MEMBER_INDEX=index)

    answer = tenant.call("GET", "/v1/events", query={"member": member})

    assert answer.status == 422
    assert answer.json["errors"] == [{"field": "member", "detail": detail}]
