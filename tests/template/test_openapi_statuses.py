"""docs/openapi.yaml against the statuses and problems of the code."""

import re

import pytest

from perkwire.model.account import Scope
from perkwire.primitives.problem import FieldError, conflict, invalid
from tests.template.contract import errors, named, operations, resolved, schema
from tests.template.stack import ROOT

SUCCESS = {
    "postEvents": {"202"},
    "createWebhook": {"201"},
    "createAccount": {"201"},
    "createApiKey": {"201"},
    "createOwnApiKey": {"201"},
    "createConsoleLink": {"201"},
    "deleteWebhook": {"204"},
    "deleteApiKey": {"204"},
    "deleteOwnApiKey": {"204"},
    "startRedrive": {"201"},
    "storeContract": {"201"},
    "deleteContract": {"204"},
    "endConsoleLinks": {"204"},
    "endConsoleLink": {"204"},
    "retryFailedDeliveries": {"202"},
    "replayEvents": {"202"},
    "askErasure": {"202"},
    "dismissRejectedEvent": {"204"},
    "sendRejectedEvent": {"202"},
}
CAN_CONFLICT = {
    "createApiKey",
    "createOwnApiKey",
    "deleteOwnApiKey",
    "askErasure",
    "updateAccount",
    "updateOwnAccount",
    "replaceBrand",
    "retryFailedDeliveries",
    "replayEvents",
    "cancelJob",
    "createWebhook",
    "updateWebhook",
    "deleteWebhook",
    "enableWebhook",
    "disableWebhook",
    "rotateSecret",
    "pullWebhook",
    "startRedrive",
    "storeContract",
    "deleteContract",
}
CAN_FIND_NOTHING = {"cancelRedrive", "listRejectedEvents"}


class TestStatuses:
    @pytest.mark.parametrize("name", operations())
    def test_an_operation_has_every_status_that_can_come_and_no_other(self, name: str) -> None:
        _, _, operation, parameters = operations()[name]
        places = {each["in"] for each in parameters}
        acts_for_an_account = any(each["name"] == "Perkwire-Account" for each in parameters)
        expected = SUCCESS.get(name, {"200"}) | {"401", "403", "429", "500", "503"}
        if "requestBody" in operation:
            expected |= {"400", "413", "415", "422"}
        if "path" in places or acts_for_an_account or name in CAN_FIND_NOTHING:
            expected.add("404")
        if "query" in places or acts_for_an_account:
            expected.add("422")
        if name in CAN_CONFLICT:
            expected.add("409")
        if any(each["name"] == "If-Match" for each in parameters):
            expected.add("412")

        assert set(operation["responses"]) == expected

    def test_every_problem_of_the_code_is_in_the_contract(self) -> None:
        found = set()
        for path in (ROOT / "functions").rglob("*.py"):
            found |= set(
                re.findall(
                    r'\b(?:Problem|super\(\).__init__)\(\s*(\d{3}),\s*"([a-z-]+)"', path.read_text()
                )
            )
        types = schema("Problem")["properties"]["type"]["enum"]

        assert {f"urn:perkwire:problem:{name}" for _, name in found} == set(types)
        documented = {
            status
            for _, _, operation, _ in operations().values()
            for status in operation["responses"]
        }
        assert {status for status, _ in found} <= documented

    def test_every_limit_says_when_to_come_again(self) -> None:
        for _, _, operation, _ in operations().values():
            response = resolved(operation["responses"]["429"])
            assert "application/problem+json" in response["content"]
            assert set(response["headers"]) == {"retry-after"}

    def test_an_example_of_a_problem_stands_under_its_own_status(self) -> None:
        statuses = []
        for _, _, operation, _ in operations().values():
            for status, response in operation["responses"].items():
                content = resolved(response).get("content", {}).get("application/problem+json", {})
                examples = [each["value"] for each in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                statuses += [(status, str(example["status"])) for example in examples]
        assert len(statuses) > 50
        assert [(above, own) for above, own in statuses if above != own] == []

    def test_problems_are_as_the_contract_says(self) -> None:
        one = [
            FieldError(
                "url", "is the URL of another webhook of the account: CRM, wh_4m7x2c9q1k8r5t3v"
            )
        ]
        for problem in (invalid(one), conflict("Each URL is once per account.", one)):
            assert errors(named("Problem"), problem.document()) == []
            assert problem.document().keys() <= schema("Problem")["properties"].keys()

    def test_every_scope_is_needed_somewhere_and_nothing_else_is(self) -> None:
        needed = {name: each[2]["security"][0]["bearer"] for name, each in operations().items()}

        assert {scope for scopes in needed.values() for scope in scopes} == {*Scope}
        for name, (method, path, _, _) in operations().items():
            operators = ("/v1/accounts", "/v1/brand", "/v1/redrives", "/v1/rejected-events")
            for_all = path.startswith(operators)
            expected = Scope.OPERATOR if for_all else Scope.WEBHOOKS
            if path.endswith("/pull"):
                expected = Scope.PULL
            if method == "GET" and path.startswith(("/v1/event-types", "/v1/formats")):
                assert needed[name] == []
            else:
                assert needed[name] == [Scope.EVENTS if name == "postEvents" else expected]
