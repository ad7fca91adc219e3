"""Each function is given the variables that it reads: no more, no fewer."""

import dataclasses
from typing import Any

import pytest

from perkwire.settings.authorizer import AuthorizerSettings
from perkwire.settings.console import ConsoleSettings
from perkwire.settings.dispatcher import DispatcherSettings
from perkwire.settings.ingest import IngestSettings
from perkwire.settings.jobs import JobsSettings
from perkwire.settings.management import ManagementSettings
from perkwire.settings.router import RouterSettings
from tests.template.stack import of_type, transformed

# Read by libraries, not by our settings.
EVERYWHERE = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
BESIDES = {"DispatcherFunction": {"RES_OPTIONS"}}

# Where the name of what a variable holds is not made from the variable's own.
NAMES_OF_THEIR_OWN = {"STACK_NAME": "AWS::StackName", "CONSOLE_URL": "ConsoleUrl"}

# Not there at all unless these conditions hold.
CONDITIONAL: dict[str, tuple[str, ...]] = {
    "SIGNAL_BUS_NAME": ("HasSignals",),
    "INBOX_QUEUE_URL": ("HasInbox",),
    "INBOX_DEAD_LETTER_QUEUE_ARN": ("HasInbox",),
    "INBOX_DEAD_LETTER_QUEUE_URL": ("HasInbox",),
}
# Of one function, which needs them for the inbox alone.
OF_INBOX: dict[str, dict[str, tuple[str, ...]]] = {
    "IngestFunction": {
        "NOTICE_INTERVAL_MINUTES": ("HasInbox",),
        "SIGNAL_BUS_NAME": ("HasInbox", "HasSignals"),
    },
    "ManagementFunction": {"EVENT_QUEUE_URL": ("HasInbox",)},
}

SETTINGS = {
    "AuthorizerFunction": AuthorizerSettings,
    "IngestFunction": IngestSettings,
    "RouterFunction": RouterSettings,
    "DispatcherFunction": DispatcherSettings,
    "JobsFunction": JobsSettings,
    "ManagementFunction": ManagementSettings,
    "ConsoleFunction": ConsoleSettings,
}


def variables(function: str) -> dict[str, Any]:
    functions = of_type(transformed(), "AWS::Lambda::Function")
    found: dict[str, Any] = functions[function]["Environment"]["Variables"]
    return found


def test_every_function_has_settings() -> None:
    assert set(of_type(transformed(), "AWS::Lambda::Function")) == set(SETTINGS)


@pytest.mark.parametrize("function", SETTINGS)
def test_a_function_is_given_what_it_reads(function: str) -> None:
    fields = {field.name.upper() for field in dataclasses.fields(SETTINGS[function])}
    assert set(variables(function)) == fields | EVERYWHERE | BESIDES.get(function, set())


def expected(function: str, name: str) -> dict[str, Any]:
    found = unconditional(name)
    of_all = CONDITIONAL.get(name, ())
    conditions = OF_INBOX.get(function, {}).get(name, of_all)
    for condition in reversed(conditions):
        found = {"Fn::If": [condition, found, {"Ref": "AWS::NoValue"}]}
    return found


def unconditional(name: str) -> dict[str, Any]:
    if name in NAMES_OF_THEIR_OWN:
        return {"Ref": NAMES_OF_THEIR_OWN[name]}
    base = name.removesuffix("_URL").removesuffix("_ID").removesuffix("_ARN")
    resource = "".join(word.capitalize() for word in base.split("_"))
    return {"Fn::GetAtt": [resource, "Arn"]} if name.endswith("_ARN") else {"Ref": resource}


@pytest.mark.parametrize("function", SETTINGS)
def test_a_variable_says_what_its_name_says(function: str) -> None:
    """CONFIG_TABLE is ConfigTable, EVENT_QUEUE_URL is EventQueue, MAX_ATTEMPTS is MaxAttempts."""
    references = {
        name: value for name, value in variables(function).items() if isinstance(value, dict)
    }
    assert references
    assert references == {name: expected(function, name) for name in references}


@pytest.mark.parametrize("function", SETTINGS)
def test_a_function_names_itself(function: str) -> None:
    name = function.removesuffix("Function").lower()
    assert variables(function)["POWERTOOLS_SERVICE_NAME"] == name
    assert variables(function)["POWERTOOLS_METRICS_NAMESPACE"] == "Perkwire"
