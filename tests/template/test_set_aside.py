"""What people call has a concurrency of its own, so that it never takes the data path's."""

from typing import Any

import pytest

from infra.deploy import DeployError, check_concurrency
from infra.parameters import resolve
from tests.template.stack import source


def functions() -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in source()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def test_management_and_console_have_a_concurrency_of_their_own_and_no_other_has() -> None:
    found = {
        name: properties["ReservedConcurrentExecutions"]["Fn::If"]
        for name, properties in functions().items()
        if "ReservedConcurrentExecutions" in properties
    }

    assert {name: (one[0], one[1]["Ref"]) for name, one in found.items()} == {
        "ManagementFunction": ("HasManagementConcurrency", "ManagementConcurrency"),
        "ConsoleFunction": ("HasConsoleConcurrency", "ConsoleConcurrency"),
    }


@pytest.mark.parametrize("name", ["Management", "Console"])
def test_a_new_account_whose_quota_of_ten_nobody_may_reserve_sets_nothing_aside(name: str) -> None:
    """By 0: reserving none would let the function never run."""
    condition = source()["Conditions"][f"Has{name}Concurrency"]
    properties = functions()[f"{name}Function"]

    assert condition == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": f"{name}Concurrency"}, 0]}],
    }
    assert properties["ReservedConcurrentExecutions"]["Fn::If"][2] == {"Ref": "AWS::NoValue"}


def test_what_is_set_aside_is_counted_against_the_quota() -> None:
    parameters = resolve(source(), {}, local=False)

    check_concurrency(parameters, 1000)
    with pytest.raises(DeployError) as refusal:
        check_concurrency(parameters, 20)

    advised = dict(
        word.rstrip(",").split("=") for word in str(refusal.value).split() if "=" in word
    )
    assert advised == {"ManagementConcurrency": "0", "ConsoleConcurrency": "0"}
    check_concurrency(parameters | advised, 1000)
    with pytest.raises(DeployError, match="RouterMaxConcurrency=2"):
        check_concurrency(parameters | advised, 14)


def test_a_quota_that_nothing_makes_enough_is_told_with_what_is_needed() -> None:
    parameters = resolve(source(), {}, local=False)

    for limit in (10, 12):
        with pytest.raises(DeployError, match="needs 13"):
            check_concurrency(parameters, limit)


def test_of_much_set_aside_the_queues_get_what_is_left() -> None:
    parameters = resolve(source(), {"ManagementConcurrency": "850"}, local=False)

    with pytest.raises(DeployError, match="DispatcherMaxConcurrency"):
        check_concurrency(parameters | {"DispatcherMaxConcurrency": "200"}, 1000)


def test_one_machine_sets_nothing_aside() -> None:
    parameters = resolve(source(), {}, local=True)

    assert (parameters["ManagementConcurrency"], parameters["ConsoleConcurrency"]) == ("0", "0")
