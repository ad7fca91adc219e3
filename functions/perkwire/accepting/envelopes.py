"""What a request's headers say its body is: events of our own form, or CloudEvents."""

from collections.abc import Mapping

from perkwire.accepting.cloud_events import (
    BATCH,
    MEDIA_TYPES,
    posted_batch,
    posted_binary,
    posted_structured,
)
from perkwire.model.event import (
    DataCheck,
    EventRequest,
    check_request_size,
    parse_events,
    read_drafts,
)
from perkwire.primitives.problem import unsupported_media_type


def read_request(body: bytes, headers: Mapping[str, str], check_data: DataCheck) -> EventRequest:
    """The events of `POST /v1/events`, all valid; `headers` by their lower-case names.

    A `content-type` of CloudEvents, or a `ce-specversion` header, makes them CloudEvents 1.0 over
    HTTP: structured, batched or binary. With any other content type the body is our own form.
    Raises the problems of `parse_events`, and 415 for CloudEvents that are not JSON.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_typed = media_type.startswith("application/cloudevents")
    if not is_typed and "ce-specversion" not in headers:
        return parse_events(body, check_data)
    if is_typed and media_type not in MEDIA_TYPES:
        raise unsupported_media_type(media_type, MEDIA_TYPES)
    check_request_size(body)
    if media_type == BATCH:
        return EventRequest(read_drafts(posted_batch(body), check_data), bulk=True)
    one = posted_structured(body) if is_typed else posted_binary(body, headers)
    return EventRequest(read_drafts([one], check_data), bulk=False)
