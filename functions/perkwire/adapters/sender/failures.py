"""What a failure of a connection is called: its class, and of TLS which of its many reasons."""

import ssl

from perkwire.adapters.sender.bounded_response import SpeaksTls
from perkwire.adapters.sender.dialling import TransportFailure
from perkwire.model.sending import ErrorDetail, TransportError

# X509_V_ERR_… of OpenSSL's x509_vfy.h.
_CERTIFICATE_DETAILS = {
    9: ErrorDetail.NOT_YET_VALID,
    10: ErrorDetail.EXPIRED,
    18: ErrorDetail.SELF_SIGNED,  # the certificate itself
    2: ErrorDetail.UNKNOWN_ISSUER,
    19: ErrorDetail.UNKNOWN_ISSUER,  # the root that the endpoint sent along
    20: ErrorDetail.UNKNOWN_ISSUER,
    21: ErrorDetail.UNKNOWN_ISSUER,
    62: ErrorDetail.WRONG_HOST,
    64: ErrorDetail.WRONG_HOST,  # an address
}
_REASONS = {
    "TLSV1_UNRECOGNIZED_NAME": ErrorDetail.WRONG_HOST,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": ErrorDetail.CLIENT_CERTIFICATE,
    "UNSUPPORTED_PROTOCOL": ErrorDetail.PROTOCOL,
    "TLSV1_ALERT_PROTOCOL_VERSION": ErrorDetail.PROTOCOL,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": ErrorDetail.PROTOCOL,
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": ErrorDetail.PROTOCOL,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": ErrorDetail.PROTOCOL,
    "WRONG_VERSION_NUMBER": ErrorDetail.PROTOCOL,
    "WRONG_SSL_VERSION": ErrorDetail.PROTOCOL,
    "UNKNOWN_PROTOCOL": ErrorDetail.PROTOCOL,
    "WRONG_CIPHER_RETURNED": ErrorDetail.PROTOCOL,
    "DH_KEY_TOO_SMALL": ErrorDetail.PROTOCOL,
}
_TLS_RECORD_TYPES = frozenset({20, 21, 22, 23})
_PLAIN_HTTP = (b"HTTP/", b"<")  # to a request that they cannot read some answer with a page alone


def failure_of(error: Exception, *, came_first: bytes = b"") -> TransportFailure:
    """The failure that an error on a connection is.

    `came_first` is what the endpoint sent first in a handshake.
    """
    match error:
        case TimeoutError():
            return TransportFailure(TransportError.TIMEOUT)
        case ssl.SSLCertVerificationError():
            detail = _CERTIFICATE_DETAILS.get(error.verify_code, ErrorDetail.BAD_CERTIFICATE)
            return TransportFailure(TransportError.TLS, detail)
        case ssl.SSLError():
            return TransportFailure(TransportError.TLS, _tls_detail(error, came_first))
        case OSError():
            return TransportFailure(TransportError.RESET)
        case SpeaksTls():
            return TransportFailure(TransportError.BAD_ANSWER, ErrorDetail.TLS_EXPECTED)
        case _:
            return TransportFailure(TransportError.BAD_ANSWER)


def _tls_detail(error: ssl.SSLError, came_first: bytes) -> ErrorDetail | None:
    if came_first and came_first[0] not in _TLS_RECORD_TYPES:
        is_http = came_first.lstrip().startswith(_PLAIN_HTTP)
        return ErrorDetail.PLAIN_HTTP if is_http else ErrorDetail.PROTOCOL
    return _REASONS.get(getattr(error, "reason", ""))  # ours have none
