"""Numbers of an event source mapping may come from a template parameter.

CloudFormation turns every parameter into a string and gives each resource the type that its schema
asks for. The emulator hands `ScalingConfig.MaximumConcurrency: !Ref …` on as a string, on which
its poller fails once a second, for every mapping of the account.
"""

from collections.abc import Mapping
from typing import Any

from infra.local.patches import upstream

_NUMBERS = ("BatchSize", "MaximumBatchingWindowInSeconds")


def apply() -> None:
    """Give the poller integers, whatever the template was written with."""
    provisioner = upstream.resource_provisioner("AWS::Lambda::EventSourceMapping")
    create, update = provisioner["create"], provisioner["update"]

    def create_with_numbers(
        logical_id: str,
        properties: Mapping[str, Any],
        stack_name: str,
    ) -> Any:  # noqa: ANN401
        return create(logical_id, _with_numbers(properties), stack_name)

    def update_with_numbers(
        physical_id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        *rest: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        return update(physical_id, _with_numbers(old), _with_numbers(new), *rest)

    provisioner["create"] = create_with_numbers
    provisioner["update"] = update_with_numbers


def _with_numbers(properties: Mapping[str, Any]) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        name: int(properties[name]) for name in _NUMBERS if name in properties
    }
    if scaling := properties.get("ScalingConfig"):
        numbers["ScalingConfig"] = {name: int(value) for name, value in scaling.items()}
    return {**properties, **numbers}
