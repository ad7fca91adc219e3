"""Tables of a template expire their items.

`TimeToLiveSpecification` of AWS::DynamoDB::Table switches expiry on
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-table.html);
the emulator's CloudFormation drops it, though its DynamoDB can expire items.
"""

from collections.abc import Mapping
from typing import Any

from infra.local.patches import upstream


def apply() -> None:
    """Hand a template's time-to-live on to the table, at creation and at every change."""
    provisioner = upstream.resource_provisioner("AWS::DynamoDB::Table")
    create, update = provisioner["create"], provisioner["update"]

    def create_with_expiry(
        logical_id: str,
        properties: Mapping[str, Any],
        stack_name: str,
    ) -> Any:  # noqa: ANN401
        table_name, attributes = create(logical_id, properties, stack_name)
        _set_expiry(table_name, properties)
        return table_name, attributes

    def update_with_expiry(
        physical_id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        *rest: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        table_name, attributes = update(physical_id, old, new, *rest)
        _set_expiry(table_name, new)
        return table_name, attributes

    provisioner["create"] = create_with_expiry
    provisioner["update"] = update_with_expiry


def _set_expiry(table_name: str, properties: Mapping[str, Any]) -> None:
    from ministack.services import dynamodb

    if specification := properties.get("TimeToLiveSpecification"):
        enabled = str(specification.get("Enabled", True)).lower() == "true"
        upstream.lookup(dynamodb, "_update_ttl")(
            {
                "TableName": table_name,
                "TimeToLiveSpecification": {
                    "AttributeName": specification["AttributeName"],
                    "Enabled": enabled,
                },
            }
        )
