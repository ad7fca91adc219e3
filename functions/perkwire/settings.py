"""What each function reads from its environment: one frozen dataclass per function.

A field's upper-case name is the variable's name; template.yaml sets exactly these. One that has a
default may be empty.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from perkwire.endpoint import EndpointPolicy


class SettingsError(Exception):
    """The environment lacks variables or holds unusable ones; the message names all of them."""


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


_DEFAULT_PORTS = {"http": 80, "https": 443}
_READERS = {
    str: str,
    int: int,
    float: float,
    bool: _flag,
    EndpointPolicy: EndpointPolicy,
}


def emulator_ports(environ: Mapping[str, str]) -> frozenset[int]:
    """The ports of a local AWS emulator, which no webhook may call; none on AWS."""
    urls = (value for name, value in environ.items() if name.startswith("AWS_ENDPOINT_URL"))
    parts = [urlsplit(url) for url in urls]
    return frozenset(part.port or _DEFAULT_PORTS.get(part.scheme, 0) for part in parts)


class _FromEnvironment:
    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read every field; raises SettingsError that names every bad variable at once."""
        values: dict[str, object] = {}
        wrong: list[str] = []
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            name = field.name.upper()
            if not environ.get(name):
                if field.default is dataclasses.MISSING:
                    wrong.append(f"{name} is not set")
                continue
            try:
                values[field.name] = _READERS[field.type](environ[name])  # type: ignore[index,operator]
            except (ValueError, KeyError):
                wrong.append(f"{name} is not usable")
        if wrong:
            raise SettingsError("; ".join(wrong))
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerSettings(_FromEnvironment):
    """Settings of the authorizer."""

    config_table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings(_FromEnvironment):
    """Settings of ingest."""

    config_table: str
    event_table: str
    event_queue_url: str
    event_retention_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSettings(_FromEnvironment):
    """Settings of the router."""

    config_table: str
    event_table: str
    delivery_table: str
    delivery_queue_url: str
    event_retention_days: int
    log_retention_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherSettings(_FromEnvironment):
    """Settings of the dispatcher."""

    config_table: str
    delivery_table: str
    secret_key_id: str
    max_attempts: int
    retry_interval_seconds: int
    log_retention_days: int
    endpoint_timeout_seconds: float
    endpoint_policy: EndpointPolicy
    pause_after_failures: int
    pause_when_exhausted: bool
    notice_interval_minutes: int
    console_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsSettings(_FromEnvironment):
    """Settings of jobs."""

    config_table: str
    event_table: str
    delivery_table: str
    delivery_queue_url: str
    job_queue_url: str
    retry_interval_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementSettings(_FromEnvironment):
    """Settings of management."""

    config_table: str
    event_table: str
    delivery_table: str
    delivery_queue_url: str
    dead_letter_queue_arn: str
    event_dead_letter_queue_arn: str
    job_queue_url: str
    secret_key_id: str
    dispatcher_function: str
    endpoint_policy: EndpointPolicy
    max_webhooks_per_account: int
    event_retention_days: int
    log_retention_days: int
    retry_interval_seconds: int
    stack_name: str
    console_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings(ManagementSettings):
    """Settings of the console."""

    event_queue_url: str
    dead_letter_queue_url: str
    event_dead_letter_queue_url: str
