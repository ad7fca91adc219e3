"""/v1/webhooks/{id}/retry-failed, /v1/webhooks/{id}/replay and /v1/jobs."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from management.resolver import Call, json_response, page_response
from perkwire.jobs.job import JobKind
from perkwire.jobs.listing import parse_job_filter
from perkwire.jobs.starting import JobManagement, started_json
from perkwire.managing.webhooks import WebhookManagement
from perkwire.primitives.ids import AccountId, JobId, WebhookId
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json


def add(
    resolver: APIGatewayHttpResolver, management: WebhookManagement, jobs: JobManagement
) -> None:
    """Add the routes to the resolver."""

    def account(call: Call) -> AccountId:
        return management.account(call.caller, call.named_account)

    def start(webhook_id: str, kind: JobKind) -> Response[str]:
        call = Call(resolver)
        started = jobs.start(account(call), WebhookId(webhook_id), kind, call.object())
        return json_response(202, started_json(started))

    @resolver.post("/v1/webhooks/<webhook_id>/retry-failed")
    def retry_failed(webhook_id: str) -> Response[str]:
        return start(webhook_id, JobKind.RETRY_FAILED)

    @resolver.post("/v1/webhooks/<webhook_id>/replay")
    def replay(webhook_id: str) -> Response[str]:
        return start(webhook_id, JobKind.REPLAY)

    @resolver.get("/v1/jobs")
    def list_jobs() -> Response[str]:
        call = Call(resolver)
        account_id = account(call)
        limit, cursor = call.page("webhook_id", "status")
        wanted = parse_job_filter(call.query)

        def read(limit: int) -> Page[dict[str, Json]]:
            page = jobs.list(account_id, wanted, limit, cursor)
            return Page([job.to_json() for job in page.items], page.next_cursor)

        return page_response(limit, read)

    @resolver.get("/v1/jobs/<job_id>")
    def get(job_id: str) -> Response[str]:
        return json_response(200, jobs.get(account(Call(resolver)), JobId(job_id)).to_json())

    @resolver.delete("/v1/jobs/<job_id>")
    def cancel(job_id: str) -> Response[str]:
        return json_response(200, jobs.cancel(account(Call(resolver)), JobId(job_id)).to_json())
