"""An event of each function that no function has seen, for a process that has just started."""

import json

from tests.aws_events import AwsEvent, authorizer_event, http_api_event, sqs_event_of
from tests.builders import points_data
from tests.integration.system import System, Tenant

_SINCE = "2026-01-01T00:00:00Z"


def first_event(app: str, system: System, tenant: Tenant) -> AwsEvent:
    """What Lambda would hand to a function; of the tenant, who has a webhook."""
    caller = {"account_id": tenant.id, "scopes": "events webhooks"}
    event = {"type": "points.earned", "data": points_data()}
    match app:
        case "authorizer":
            return authorizer_event({"Authorization": f"Bearer {tenant.key}"})
        case "ingest":
            body = json.dumps({"events": [event]}).encode()
            return http_api_event("POST", "/v1/events", body=body, authorizer=caller)
        case "router":
            tenant.post(event)
            return sqs_event_of(system.receive("EventQueue", 1))
        case "dispatcher":
            tenant.post(event)
            system.route()
            return sqs_event_of(system.receive("DeliveryQueue", 1))
        case "jobs":
            webhook = tenant.webhook("http://127.0.0.1:9/")
            path = f"/v1/webhooks/{webhook['id']}"
            tenant.call("POST", f"{path}/retry-failed", {"since": _SINCE})
            message = sqs_event_of(system.receive("JobQueue", 1))
            tenant.call("DELETE", path)
            return message
        case "management":
            return http_api_event("GET", "/v1/webhooks", authorizer=caller)
        case _:
            return http_api_event("GET", "/console/sign-in")


def is_well(answer: object) -> bool:
    """Whether a function has done what its event asked for."""
    match answer:
        case {"isAuthorized": True} | {"batchItemFailures": []}:
            return True
        case {"statusCode": int(status)}:
            return status < 400
    return False
