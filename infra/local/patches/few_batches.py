"""A development machine runs a few functions at a time.

Lambda pollers start with five batches at a time and go up to the mapping's MaximumConcurrency as a
backlog grows (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html). The
emulator goes there at once, and each batch holds an operating system process: with the template's
own limits a backlog would start sixty of them.
"""

import os
from typing import Any

from infra.local.patches import upstream


def apply() -> None:
    """Run at most `BATCHES_PER_MAPPING` batches at a time, or fewer where the mapping says so."""
    from ministack.services import lambda_svc

    name = "_sqs_esm_concurrency"
    allowed = upstream.lookup(lambda_svc, name)
    most = int(os.environ["BATCHES_PER_MAPPING"])

    def few(*arguments: Any) -> int:  # noqa: ANN401
        limit: int = min(allowed(*arguments), most)
        return limit

    upstream.replace(lambda_svc, name, few)
