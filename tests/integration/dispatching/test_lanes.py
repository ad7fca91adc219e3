"""A webhook that fails changes its lane and comes back, and so do its dead letters."""

from tests.integration.system import System, Tenant, matched, until
from tests.invariant import check
from tests.receiver import Receiver

LANES = ("DeliveryQueue", "SlowDeliveryQueue")


def queued(system: System) -> tuple[int, int]:
    prompt, slow = (len(system.bodies(queue)) for queue in LANES)
    return prompt, slow


def strain(system: System, tenant: Tenant) -> list[str]:
    """Five deliveries, an attempt of each, which come back at once; their events' ids."""
    event_ids = tenant.post(*tenant.some_events(5))
    system.route()
    system.dispatch().return_at_once()
    return event_ids


def test_a_webhook_that_fails_is_strained_and_ten_fast_successes_lead_back(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(*[500] * 5)
    webhook = tenant.webhook(endpoint.url)
    path = f"/v1/webhooks/{webhook['id']}"
    assert webhook["lane"] == "prompt"

    event_ids = strain(system, tenant)
    assert tenant.get(path)["lane"] == "slow"
    event_ids += tenant.post(*tenant.some_events(4))
    system.route()
    assert queued(system) == (5, 4)

    endpoint.answer(200)
    system.dispatch_all()  # nine successes
    assert tenant.get(path)["lane"] == "slow"
    event_ids += tenant.post(tenant.an_event())
    system.route()
    system.dispatch_all()
    assert tenant.get(path)["lane"] == "prompt"
    assert {one["status"] for one in tenant.deliveries()} == {"succeeded"}
    check(tenant, matched(event_ids, webhook))


def test_a_redrive_brings_each_dead_letter_back_into_its_own_lane(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint(*[500] * 99).url)
    strain(system, tenant)
    tenant.post(*tenant.some_events(3))
    system.route()
    assert queued(system) == (5, 3)
    system.dispatch_all()
    assert queued(system) == (0, 0)
    assert len(system.bodies("DeadLetterQueue")) == 8

    source = system.sqs.get_queue_attributes(
        QueueUrl=system.queue("DeadLetterQueue"), AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    system.sqs.start_message_move_task(SourceArn=source)

    until(lambda: queued(system) == (5, 3), "the redriven deliveries in their lanes")


def test_enabling_a_webhook_ends_its_strain(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint(*[500] * 99).url)
    strain(system, tenant)
    path = f"/v1/webhooks/{webhook['id']}"
    assert tenant.get(path)["lane"] == "slow"

    tenant.call("PATCH", path, {"enabled": False})
    tenant.call("POST", f"{path}/enable")

    assert tenant.get(path)["lane"] == "prompt"


def test_a_webhook_that_fails_fast_and_often_fills_the_flight_of_the_slow_lane_alone(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    """A second of 100 failures; what has failed stays in flight for five minutes."""
    well = receiver.endpoint()
    failing = tenant.webhook(receiver.endpoint(500).url)
    healthy = tenant.webhook(well.url)
    event_ids: list[str] = []

    for _ in range(5):
        event_ids += tenant.post(*tenant.some_events(20))
        system.route()
        while system.dispatch().messages:
            pass

    def in_flight(queue: str) -> int:
        answer = system.sqs.get_queue_attributes(
            QueueUrl=system.queue(queue), AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])

    flight = {queue: in_flight(queue) for queue in LANES}
    assert sum(flight.values()) == len(event_ids)
    assert flight["DeliveryQueue"] == 20  # of the first round: nothing was known yet
    assert len(well.requests) == len(event_ids)
    check(tenant, matched(event_ids[:5] + event_ids[-5:], failing, healthy))
