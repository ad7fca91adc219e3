"""What CloudFormation documents of TimeToLiveSpecification."""

from infra.local.emulator import Emulator
from tests.local.recorder import Deploy


def test_table_of_a_template_expires_its_items(deploy: Deploy, emulator: Emulator) -> None:
    outputs = deploy(
        {
            "Resources": {
                "Table": {
                    "Type": "AWS::DynamoDB::Table",
                    "Properties": {
                        "BillingMode": "PAY_PER_REQUEST",
                        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                        "TimeToLiveSpecification": {"AttributeName": "expiry", "Enabled": True},
                    },
                }
            },
            "Outputs": {"Name": {"Value": {"Ref": "Table"}}},
        }
    )
    described = emulator.client("dynamodb").describe_time_to_live(TableName=outputs["Name"])
    assert described["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "expiry",
    }
