"""AWS clients beside DynamoDB's: boto3 on the connection's own botocore session.

A second session would load botocore's data again; docs/adr/0003 has the measurement.
"""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from pynamodb.connection import Connection

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(
    connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)


def sqs(connection: Connection) -> "SQSClient":
    """A client for SQS."""
    return boto3.Session(botocore_session=connection.session).client("sqs", config=_CONFIG)


def kms(connection: Connection) -> "KMSClient":
    """A client for KMS."""
    return boto3.Session(botocore_session=connection.session).client("kms", config=_CONFIG)
