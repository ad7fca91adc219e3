import dataclasses

import pytest

from perkwire.model.endpoint import EndpointPolicy
from perkwire.settings.authorizer import AuthorizerSettings
from perkwire.settings.console import ConsoleSettings
from perkwire.settings.dispatcher import DispatcherSettings
from perkwire.settings.environment import SettingsError, emulator_ports
from perkwire.settings.ingest import IngestSettings
from perkwire.settings.jobs import JobsSettings
from perkwire.settings.management import ManagementSettings
from perkwire.settings.router import RouterSettings

DISPATCHER = {
    "CONFIG_TABLE": "config",
    "DELIVERY_TABLE": "deliveries",
    "SECRET_KEY_ID": "key",
    "MAX_ATTEMPTS": "6",
    "RETRY_INTERVAL_SECONDS": "300",
    "LOG_RETENTION_DAYS": "30",
    "ENDPOINT_TIMEOUT_SECONDS": "2.5",
    "ENDPOINT_POLICY": "local",
    "PAUSE_AFTER_FAILURES": "20",
    "PAUSE_WHEN_EXHAUSTED": "false",
    "NOTICE_INTERVAL_MINUTES": "60",
    "LOG_SUCCESSES": "false",
}


def test_every_field_is_read_as_what_it_is() -> None:
    assert DispatcherSettings.from_env(DISPATCHER | {"HOME": "/"}) == DispatcherSettings(
        config_table="config",
        delivery_table="deliveries",
        secret_key_id="key",
        max_attempts=6,
        retry_interval_seconds=300,
        log_retention_days=30,
        endpoint_timeout_seconds=2.5,
        endpoint_policy=EndpointPolicy.LOCAL,
        pause_after_failures=20,
        pause_when_exhausted=False,
        notice_interval_minutes=60,
        log_successes=False,
    )


@pytest.mark.parametrize(
    "settings",
    [
        AuthorizerSettings,
        IngestSettings,
        RouterSettings,
        DispatcherSettings,
        JobsSettings,
        ManagementSettings,
        ConsoleSettings,
    ],
)
def test_without_an_environment_every_variable_is_named_at_once(
    settings: type[AuthorizerSettings],
) -> None:
    with pytest.raises(SettingsError) as raised:
        settings.from_env({})

    for field in dataclasses.fields(settings):
        is_named = f"{field.name.upper()} is not set" in str(raised.value)
        assert is_named is (field.default is dataclasses.MISSING)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_ATTEMPTS", "six"),
        ("MAX_ATTEMPTS", "6.0"),
        ("ENDPOINT_TIMEOUT_SECONDS", "soon"),
        ("ENDPOINT_POLICY", "private"),
        ("PAUSE_WHEN_EXHAUSTED", "yes"),
        ("PAUSE_WHEN_EXHAUSTED", "False"),
    ],
)
def test_a_variable_that_is_not_usable_is_named_but_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        DispatcherSettings.from_env(DISPATCHER | {name: value})

    assert str(raised.value) == f"{name} is not usable"


def test_a_variable_that_has_a_default_may_be_empty() -> None:
    assert DispatcherSettings.from_env(DISPATCHER | {"CONSOLE_URL": ""}).console_url == ""
    given = DISPATCHER | {"CONSOLE_URL": "https://a.example/console"}
    assert DispatcherSettings.from_env(given).console_url == "https://a.example/console"


def test_an_empty_variable_is_not_set() -> None:
    with pytest.raises(SettingsError, match="CONFIG_TABLE is not set"):
        DispatcherSettings.from_env(DISPATCHER | {"CONFIG_TABLE": ""})


def test_every_wrong_variable_is_named() -> None:
    environ = DISPATCHER | {"MAX_ATTEMPTS": "x", "CONFIG_TABLE": "", "ENDPOINT_POLICY": "y"}

    with pytest.raises(SettingsError) as raised:
        DispatcherSettings.from_env(environ)

    assert len(str(raised.value).split("; ")) == 3


def test_on_aws_there_are_no_emulator_ports() -> None:
    assert emulator_ports(DISPATCHER) == frozenset()


def test_the_emulators_ports_are_those_of_its_addresses() -> None:
    environ = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ENDPOINT_URL_SQS": "http://localhost:4567/path",
        "AWS_REGION": "eu-central-1",
    }

    assert emulator_ports(environ) == {4566, 4567}


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://localhost", 80),
        ("http://localhost/path", 80),
        ("https://localhost", 443),
        ("HTTPS://[::1]/", 443),
        ("https://localhost:80", 80),
    ],
)
def test_an_emulator_at_a_default_port_is_denied_too(url: str, port: int) -> None:
    assert emulator_ports({"AWS_ENDPOINT_URL": url}) == {port}
