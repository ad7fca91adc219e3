"""What the log's words mean, for people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from perkwire.jobs.job import JobKind, JobReason, JobStatus
from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.sending import ErrorDetail, TransportError

STATUS_KINDS: Mapping[str, str] = {
    DeliveryStatus.PENDING: "off",
    DeliveryStatus.RETRYING: "warn",
    DeliveryStatus.SUCCEEDED: "good",
    DeliveryStatus.FAILED: "bad",
    DeliveryStatus.CANCELLED: "off",
    DeliveryStatus.WAITING: "off",
    DeliveryStatus.PULLED: "good",
    DeliveryStatus.UNKNOWN: "off",
    JobStatus.QUEUED: "off",
    JobStatus.RUNNING: "warn",
    JobStatus.DONE: "good",
}
"""Which kind of badge a status of a delivery or a job has."""

REASONS: Mapping[str, str] = {
    Reason.PAUSED: "The webhook was paused when it was this delivery's turn, so nothing was sent. "
    "Enable the webhook, then retry.",
    Reason.FORMAT: "The webhook's format cannot say these events, or this release does not know "
    "the format, so nothing was sent. Look at the request below, or choose another format with a "
    "new webhook.",
    Reason.DISABLED: "The webhook was disabled when it was this delivery's turn, so nothing was "
    "sent.",
    Reason.DELETED: "The webhook was deleted before this delivery's turn, so nothing was sent.",
    Reason.UNAVAILABLE: "Perkwire could not read the webhook or its secret at the last attempt. "
    "The endpoint is not to blame; retry.",
    Reason.SPLIT: "It was too large for the endpoint, so its events went out in parts, each a "
    "delivery of its own.",
    Reason.ERASED: "The member whom its events were about has been erased, so nothing is sent any "
    "more.",
    Reason.LOST: "The next attempt is long overdue: it may have been lost to a crash or a "
    "throttle; its message rests in the dead-letter queue. Retry.",
}

ERRORS: Mapping[str, str] = {
    TransportError.BLOCKED_ADDRESS: "The host's address is one that webhooks may not reach",
    TransportError.DNS: "The host name has no address",
    TransportError.CONNECT: "No connection could be made",
    TransportError.TLS: "The TLS handshake failed; is the certificate valid?",
    TransportError.TIMEOUT: "No answer in time",
    TransportError.RESET: "The connection broke before an answer came",
    TransportError.BAD_ANSWER: "What came back was not HTTP",
    TransportError.BAD_URL: "The URL may not be called",
    Reason.FORMAT: "The format cannot say this event, or is not known to this release, so nothing "
    "was sent",
}

ERROR_DETAILS: Mapping[str, str] = {
    ErrorDetail.SELF_SIGNED: "The certificate is self-signed",
    ErrorDetail.EXPIRED: "The certificate has expired",
    ErrorDetail.NOT_YET_VALID: "The certificate is not valid yet",
    ErrorDetail.WRONG_HOST: "The certificate is for another host name",
    ErrorDetail.UNKNOWN_ISSUER: "The certificate's issuer is not known, or a certificate between "
    "is missing from what the endpoint sends",
    ErrorDetail.BAD_CERTIFICATE: "The certificate is not one that can be trusted",
    ErrorDetail.CLIENT_CERTIFICATE: "The endpoint asks for a client certificate, and there is none",
    ErrorDetail.PROTOCOL: "The endpoint speaks no TLS 1.2 or later with ECDHE on this port",
    ErrorDetail.PLAIN_HTTP: "The endpoint speaks plain HTTP on this port, not https",
    ErrorDetail.TLS_EXPECTED: "The endpoint speaks TLS on this port: is https meant?",
}

JOB_NAMES: Mapping[JobKind, str] = {
    JobKind.RETRY_FAILED: "Retry all that failed",
    JobKind.REPLAY: "Replay events",
}

JOB_REASONS: Mapping[str, str] = {
    JobReason.PAUSED: "The webhook was paused meanwhile. Mend its endpoint, enable it, and start "
    "again: what was sent is not sent twice by a retry.",
    JobReason.DISABLED: "The webhook was disabled meanwhile. Enable it and start again.",
    JobReason.DELETED: "The webhook was deleted meanwhile.",
    JobReason.NOT_QUEUED: "The job could not be queued. Start it again.",
}


def came_back(attempt: Mapping[str, Any]) -> str:
    """What an attempt or a test came to: `503 Service Unavailable`, or why no answer came."""
    code = attempt.get("status_code")
    if code is None:
        error = attempt.get("error")
        if detail := ERROR_DETAILS.get(attempt.get("error_detail", "")):
            return detail
        return ERRORS.get(error, error) if error else "Nothing"
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)
