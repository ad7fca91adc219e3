"""What a failure means and what helps: a sentence for each status and each class of error.

docs/receiving.md and the console's page of help have the same sentences.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from perkwire.model.delivery import Reason
from perkwire.model.sending import ErrorDetail, TransportError
from perkwire.primitives.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure by the word that it has (`401`, `timeout`), and the sentence about it."""

    word: str
    sentence: str
    is_of_secret: bool = False

    @property
    def anchor(self) -> str:
        """Where the page of help has it."""
        return f"failure-{self.word.replace('_', '-')}"


_REDIRECT = (
    "Redirects are not followed: give the webhook the URL that the answer points to, usually with "
    "https or a slash at the end."
)
_SENTENCES: Mapping[str, str] = {
    "2xx": "The format of the webhook does not take this answer for a success: of Zinrelo's only "
    "200 is one.",
    "3xx": _REDIRECT,
    "400": "The endpoint finds something wrong in the request, and often says what: see whether "
    "it expects this format, and verifies over the body's very bytes.",
    "401": "Usually the secret or an Authorization header: give the receiver this webhook's "
    "secret, or the webhook the header that the endpoint asks for.",
    "403": "Usually a firewall, a list of addresses or a missing header: let requests of this "
    "stack through, or add the header that the endpoint asks for.",
    "404": "Nothing is at this path: see whether the URL is complete, and whether the receiver is "
    "deployed there.",
    "405": "The endpoint takes no POST at this path: usually the path is not the receiver's, or "
    "lacks a slash at its end.",
    "408": "The endpoint has waited too long for the request: a proxy before it is usually "
    "overloaded, and the next attempt may pass.",
    "409": "The endpoint says that it has the event already: have it answer 2xx to what it has "
    "seen before.",
    "410": "The endpoint asks for no more requests, so the webhook is paused at once: enable it "
    "once the receiver is back.",
    "413": "The request is too large for the endpoint or a proxy before it: let them take 2 MiB, "
    "or make the webhook's batches smaller and retry.",
    "415": "The endpoint does not take application/json at this path: see whether it is the path "
    "of the receiver.",
    "422": "The endpoint has read the body and does not like it: see whether it expects this "
    "format and this event.",
    "429": "It is too fast for the endpoint: give the webhook a pace, or a schedule of its own, "
    "by which it keeps to Retry-After.",
    "4xx": "The endpoint refuses the request as it is, and often says why in its answer.",
    "500": "The receiver's own code has failed: its log says where, and a retry passes once it is "
    "mended.",
    "502": "A proxy has had no usable answer from the receiver behind it: see whether that runs.",
    "503": "The endpoint is down or overloaded for now: the next attempts may pass, and so does a "
    "retry.",
    "504": "A proxy has waited too long for the receiver behind it: have it answer first, and "
    "work afterwards.",
    "5xx": "Something is wrong at the endpoint, not with the request: a retry passes once it is "
    "mended.",
    TransportError.TIMEOUT: "No answer came within the time that a request has, 10 s unless the "
    "stack says otherwise: have the receiver answer first, and work afterwards.",
    TransportError.DNS: "The host name has no address: see whether it is spelled right, and "
    "public.",
    TransportError.CONNECT: "Nobody takes connections at this host and port: see whether the "
    "receiver runs, and whether a firewall lets this stack through.",
    TransportError.TLS: "The encrypted connection could not be made: the certificate has to be "
    "valid for the host, and be sent with those between it and its issuer.",
    TransportError.RESET: "Usually the receiver or a proxy before it has restarted meanwhile, or "
    "refuses such a body: the next attempt may pass.",
    TransportError.BAD_ANSWER: "What came back was not HTTP/1: see whether another service "
    "listens at this port.",
    TransportError.BLOCKED_ADDRESS: "The host has a private address, and the stack calls public "
    "ones only: use a public host.",
    TransportError.BAD_URL: "The stack may not call such a URL any more: give the webhook one "
    "with https and a usual port.",
    Reason.FORMAT: "The webhook's format has no word for the event, or this release does not know "
    "the format: choose other events, or a webhook of another format.",
    ErrorDetail.SELF_SIGNED: "The certificate is self-signed, which nobody can trust from "
    "outside: have one from an authority, such as Let's Encrypt.",
    ErrorDetail.EXPIRED: "The certificate has expired: renew it, and see why that did not happen "
    "by itself.",
    ErrorDetail.NOT_YET_VALID: "The certificate is not valid yet: usually the clock was wrong "
    "where it was made.",
    ErrorDetail.WRONG_HOST: "The certificate is for another host: have one for the host of the "
    "URL, or use the host that it is for.",
    ErrorDetail.UNKNOWN_ISSUER: "Nobody known has issued the certificate, or the endpoint does "
    "not send those between: send the full chain.",
    ErrorDetail.BAD_CERTIFICATE: "The certificate cannot be trusted: have a new one made.",
    ErrorDetail.CLIENT_CERTIFICATE: "The endpoint asks for a client certificate, and the stack "
    "has none: turn that off for this path, and verify signatures instead.",
    ErrorDetail.PROTOCOL: "The endpoint speaks no TLS 1.2 or later with ECDHE: turn that on.",
    ErrorDetail.PLAIN_HTTP: "The endpoint speaks plain HTTP at this port: turn TLS on, or use the "
    "port that has it.",
    ErrorDetail.TLS_EXPECTED: "The endpoint speaks TLS at this port: write https in the URL.",
}

_UNVERIFIED = Failure(
    "401",
    "The receiver could not verify the signature: usually it has another secret. The secret is not "
    "shown again: rotate it, and give the receiver the new one.",
    is_of_secret=True,
)
CHECKS_OF_401 = (
    "It verifies over the body's very bytes, before anything parses them.",
    "It has the secret that this webhook got at its creation or its last rotation.",
    "Its clock is within five minutes of the time that the request bears.",
    "Send a test: the answer comes with the request as it was sent, to compare with what the "
    "receiver saw.",
)
"""What to look at where a receiver answers 401, one by one."""

FAILURES = tuple(Failure(str(word), sentence) for word, sentence in _SENTENCES.items())
_BY_WORD: Mapping[str, Failure] = {failure.word: failure for failure in FAILURES}


def failure_of(attempt: Mapping[str, Any], *, is_taken: bool = False) -> Failure | None:
    """What an attempt or a test has failed of, as the API shows one; None if it has not."""
    if is_taken:
        return None
    code = attempt.get("status_code")
    if code == HTTPStatus.UNAUTHORIZED and "signature" in str(attempt.get("response")).lower():
        return _UNVERIFIED
    if code is not None:
        return _BY_WORD.get(str(code)) or _BY_WORD.get(f"{int(code) // 100}xx")
    return _BY_WORD.get(str(attempt.get("error_detail"))) or _BY_WORD.get(str(attempt.get("error")))


def title_of(failure: Failure) -> str:
    """`401 Unauthorized`, `timeout`."""
    if not failure.word.isdecimal():
        return failure.word
    return f"{failure.word} {HTTPStatus(int(failure.word)).phrase}"
