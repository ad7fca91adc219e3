"""The templates as they stand in the repository, and as CloudFormation sees them."""

import copy
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from infra.parameters import load_template

ROOT = Path(__file__).resolve().parent.parent.parent

type Resource = dict[str, Any]


@functools.cache
def _source() -> dict[str, Any]:
    return load_template(ROOT / "template.yaml")


@functools.cache
def _transformed() -> dict[str, Any]:
    template = copy.deepcopy(_source())
    # `sam package` would have uploaded all three.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/functions.zip"
    template["Resources"]["PackagesLayer"]["Properties"]["ContentUri"] = "s3://bucket/packages.zip"
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Application":
            nested = resource["Properties"]
            nested["Location"] = f"https://s3.amazonaws.com/bucket/{nested['Location']}"
    defaults = {name: each["Default"] for name, each in template["Parameters"].items()}
    session = boto3.Session(
        region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    translated: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(
        template, defaults
    )
    return translated


@functools.cache
def _observability() -> dict[str, Any]:
    return load_template(ROOT / "infra" / "observability.yaml")


@functools.cache
def _inbox() -> dict[str, Any]:
    return load_template(ROOT / "infra" / "inbox.yaml")


def source() -> dict[str, Any]:
    """Return template.yaml."""
    return copy.deepcopy(_source())


def transformed() -> dict[str, Any]:
    """Return template.yaml after the transform AWS::Serverless."""
    return copy.deepcopy(_transformed())


def observability() -> dict[str, Any]:
    """Return infra/observability.yaml."""
    return copy.deepcopy(_observability())


def inbox() -> dict[str, Any]:
    """Return infra/inbox.yaml."""
    return copy.deepcopy(_inbox())


def expanded(*met: str) -> dict[str, Any]:
    """Return template.yaml as a stack has it of whose conditions these are met, and no other."""
    template = transformed()
    found = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource.get("Condition") in (None, *met)
    }
    chosen: dict[str, Any] = _chosen({**template, "Resources": found}, met)
    return chosen


_ABSENT = {"Ref": "AWS::NoValue"}


def _chosen(value: Any, met: Sequence[str]) -> Any:  # noqa: ANN401 - whatever a template holds
    if isinstance(value, list):
        return [one for each in value if (one := _chosen(each, met)) != _ABSENT]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::If"}:
        condition, so, otherwise = value["Fn::If"]
        return _chosen(so if condition in met else otherwise, met)
    members = {name: _chosen(each, met) for name, each in value.items()}
    return {name: each for name, each in members.items() if each != _ABSENT}


def of_type(template: dict[str, Any], kind: str) -> dict[str, Resource]:
    """Return the properties of every resource of one type, by logical id; there is at least one."""
    found = {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }
    assert found, f"the template has no {kind}"
    return found
