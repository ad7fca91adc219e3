"""AWS clients beside DynamoDB's: boto3 on the connection's own botocore session.

A second session would load botocore's data again; docs/adr/0003 has the measurement.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from pynamodb.connection import Connection

from perkwire.adapters.initialising import rehearse
from perkwire.primitives.journal import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

INVOKE_SECONDS = 20
"""How long an invoked function is waited for."""

_CONFIG = Config(
    connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)
# Tried once: a second try could invoke twice.
_INVOKE_CONFIG = Config(
    connect_timeout=1, read_timeout=INVOKE_SECONDS, retries={"total_max_attempts": 1}
)
# Beside work that must not wait for it: what KMS does not answer soon comes again with its message.
_BRIEFLY = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}
)
# Tried once, and not for long: nobody waits for a signal, and one that is late is lost.
_SIGNAL_CONFIG = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})

# No answer, an answer that says no, and one that is none of the service's.
FAILURES = (BotoCoreError, ClientError, ResponseParserError)


class MetricsClient(Protocol):
    """What we use of CloudWatch's client."""

    def get_metric_data(self, **request: object) -> dict[str, Any]:
        """CloudWatch's GetMetricData."""
        ...


class MailClient(Protocol):
    """What we use of SES's client."""

    def send_email(self, **request: object) -> dict[str, Any]:
        """SES's SendEmail."""
        ...


class SignalClient(Protocol):
    """What we use of EventBridge's client."""

    def put_events(self, **request: object) -> dict[str, Any]:
        """EventBridge's PutEvents."""
        ...


def sqs(connection: Connection, *, briefly: bool = False) -> "SQSClient":
    """A client for SQS; `briefly`, it gives up in time for what goes on without an answer."""
    client = _session(connection).client("sqs", config=_BRIEFLY if briefly else _CONFIG)
    entries = [{"Id": "0", "MessageBody": "{}", "MessageGroupId": "0", "DelaySeconds": 0}]
    url = f"{client.meta.endpoint_url}/0/queue"
    rehearse(client, "send_message_batch", QueueUrl=url, Entries=entries)
    return client


def sns(connection: Connection) -> "SNSClient":
    """A client for SNS."""
    return _session(connection).client("sns", config=_BRIEFLY)


def kms(connection: Connection) -> "KMSClient":
    """A client for KMS."""
    client = _session(connection).client("kms", config=_BRIEFLY)
    rehearse(client, "decrypt", KeyId="key", CiphertextBlob=b"0", EncryptionContext={"a": "b"})
    return client


def ses(connection: Connection) -> MailClient:
    """A client for SES."""
    return cast(MailClient, _session(connection).client("ses", config=_BRIEFLY))


def events(connection: Connection) -> SignalClient:
    """A client for EventBridge."""
    client = _session(connection).client("events", config=_SIGNAL_CONFIG)
    entry = {"EventBusName": "b", "Source": "s", "DetailType": "d", "Detail": "{}"}
    rehearse(client, "put_events", Entries=[entry])
    return cast(SignalClient, client)


def cloudwatch(connection: Connection) -> MetricsClient:
    """A client for CloudWatch."""
    return cast(MetricsClient, _session(connection).client("cloudwatch", config=_BRIEFLY))


def functions(connection: Connection) -> "LambdaClient":
    """A client for Lambda."""
    return _session(connection).client("lambda", config=_INVOKE_CONFIG)


@contextmanager
def failing_as_unavailable(service: str) -> Iterator[None]:
    """Turn a service's failures into Unavailable, with the error's code and nothing else of it."""
    try:
        yield
    except FAILURES as error:
        raise Unavailable(f"{service}: {failure(error)}") from error
    except KeyError as error:  # an answer without what every answer has
        raise Unavailable(f"{service}: not an answer of its own") from error


def failure(error: Exception) -> str:
    """The error code that a service answered, or the class of what went wrong before that."""
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__


def _session(connection: Connection) -> boto3.Session:
    return boto3.Session(botocore_session=connection.session)
