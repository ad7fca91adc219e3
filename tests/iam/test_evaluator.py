"""The evaluator, against what AWS documents of policies."""

from typing import Any

import pytest

from tests.iam.evaluator import Call, Unjudgeable, as_list, judge

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/accounts"
GET = "dynamodb:GetItem"


def allow(**elements: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a policy may hold
    return {"Sid": "Read", "Effect": "Allow", "Action": GET, "Resource": TABLE} | elements


def deny(**elements: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a policy may hold
    return allow(Sid="Never", Effect="Deny") | elements


def allowed(*statements: dict[str, Any], call: Call) -> bool:
    return judge(statements, call).allowed


class TestDecision:
    """Policy evaluation logic: denied unless allowed, and an explicit deny is final."""

    def test_what_no_statement_speaks_of_is_denied(self) -> None:
        assert not judge([], Call(GET, TABLE)).allowed
        assert judge([allow()], Call("dynamodb:PutItem", TABLE)).sid is None

    def test_one_allow_is_enough_and_is_named(self) -> None:
        other = allow(Sid="Other", Action="dynamodb:PutItem")
        assert judge([other, allow()], Call(GET, TABLE)).sid == "Read"

    @pytest.mark.parametrize("statements", [[allow(), deny()], [deny(), allow()]])
    def test_an_explicit_deny_overrides_any_allow(self, statements: list[dict[str, Any]]) -> None:
        decision = judge(statements, Call(GET, TABLE))
        assert (decision.allowed, decision.sid) == (False, "Never")

    def test_a_deny_whose_condition_does_not_hold_denies_nothing(self) -> None:
        conditional = deny(Condition={"StringEquals": {"aws:k": "v"}})
        assert allowed(allow(), conditional, call=Call(GET, TABLE))


class TestActions:
    @pytest.mark.parametrize(
        ("pattern", "action", "fits"),
        [
            ("dynamodb:getitem", GET, True),
            ("dynamodb:*", GET, True),
            ("dynamodb:?etItem", GET, True),
            ("dynamodb:*Item", "dynamodb:BatchGetItem", True),
            ("*", GET, True),
            ("dynamodb:Get", GET, False),
            ("sqs:*", GET, False),
        ],
    )
    def test_are_compared_without_case_and_with_wildcards(
        self, pattern: str, action: str, fits: bool
    ) -> None:
        assert allowed(allow(Action=pattern), call=Call(action, TABLE)) is fits

    def test_not_action_is_all_the_others(self) -> None:
        statement = allow(NotAction=["dynamodb:Delete*", GET])
        del statement["Action"]
        assert allowed(statement, call=Call("dynamodb:PutItem", TABLE))
        assert not allowed(statement, call=Call(GET, TABLE))


class TestResources:
    @pytest.mark.parametrize(
        ("pattern", "arn", "fits"),
        [
            (TABLE, TABLE, True),
            (TABLE, f"{TABLE}/index/by_name", False),
            (f"{TABLE}/index/*", f"{TABLE}/index/by_name", True),
            ("arn:aws:dynamodb:*:123456789012:table/acc*", TABLE, True),
            ("arn:aws:dynamodb:us-east-1:123456789012:table/Accounts", TABLE, False),
            # Wildcards do not reach over a colon, but for the last part, which holds them.
            ("arn:aws:dynamodb:*:table/accounts", TABLE, False),
            ("arn:aws:sns:r:a:topic*", "arn:aws:sns:r:a:topic-1:subscription", True),
            ("*", TABLE, True),
            (TABLE, "*", False),
        ],
    )
    def test_are_compared_part_by_part(self, pattern: str, arn: str, fits: bool) -> None:
        assert allowed(allow(Resource=pattern), call=Call(GET, arn)) is fits

    def test_not_resource_is_all_the_others(self) -> None:
        statement = allow(NotResource=TABLE)
        del statement["Resource"]
        assert not allowed(statement, call=Call(GET, TABLE))
        assert allowed(statement, call=Call(GET, f"{TABLE}s"))

    def test_one_of_several_is_enough(self) -> None:
        assert allowed(allow(Resource=["arn:aws:s3:::b", TABLE]), call=Call(GET, TABLE))


class TestConditions:
    def holds(self, condition: dict[str, Any], **context: Any) -> bool:  # noqa: ANN401
        named = {key.replace("_", ":"): value for key, value in context.items()}
        return allowed(allow(Condition=condition), call=Call(GET, TABLE, named))

    def test_values_of_a_key_are_alternatives(self) -> None:
        condition = {"StringEquals": {"aws:K": ["a", "b"]}}
        assert self.holds(condition, aws_k="b")
        assert not self.holds(condition, aws_k="c")

    def test_keys_and_operators_must_all_hold(self) -> None:
        condition = {"StringEquals": {"aws:k": "a", "aws:l": "b"}, "StringLike": {"aws:m": "c*"}}
        assert self.holds(condition, aws_k="a", aws_l="b", aws_m="cc")
        assert not self.holds(condition, aws_k="a", aws_l="x", aws_m="cc")
        assert not self.holds(condition, aws_k="a", aws_l="b", aws_m="x")

    @pytest.mark.parametrize(
        ("operator", "wanted", "found", "holds"),
        [
            ("StringEquals", "a*", "ab", False),
            ("StringEquals", "a", "A", False),
            ("StringEqualsIgnoreCase", "a", "A", True),
            ("StringNotEquals", "a", "b", True),
            ("StringNotEquals", ["a", "b"], "b", False),
            ("StringLike", "acct_??", "acct_12", True),
            ("StringLike", "acct_??", "acct_123", False),
            ("StringLike", "a*", "A1", False),
            ("StringNotLike", "a*", "b", True),
            ("ArnLike", "arn:aws:sns:*:*:t", "arn:aws:sns:r:a:t", True),
            ("ArnNotEquals", "arn:aws:sns:*:*:t", "arn:aws:sns:r:a:t", False),
            ("Bool", True, "true", True),
            ("Bool", "false", "true", False),
            ("NumericGreaterThanEquals", 30, "30", True),
            ("NumericGreaterThan", 30, "30", False),
            ("NumericLessThan", "7", "6.5", True),
            ("NumericEquals", "7", "seven", False),
        ],
    )
    def test_operators(self, operator: str, wanted: object, found: str, holds: bool) -> None:
        assert self.holds({operator: {"aws:k": wanted}}, aws_k=found) is holds

    @pytest.mark.parametrize(
        ("operator", "holds"),
        [
            ("StringEquals", False),
            ("StringLike", False),
            ("ArnLike", False),
            ("Bool", False),
            ("NumericLessThan", False),
            ("StringNotEquals", True),
            ("StringNotLike", True),
            ("ArnNotLike", True),
            ("StringEqualsIfExists", True),
            ("NumericGreaterThanEqualsIfExists", True),
            ("ForAllValues:StringEquals", True),
            ("ForAnyValue:StringEquals", False),
        ],
    )
    def test_a_key_that_the_call_lacks(self, operator: str, holds: bool) -> None:
        assert self.holds({operator: {"aws:k": "7"}}) is holds

    def test_if_exists_compares_what_is_there(self) -> None:
        assert not self.holds({"StringEqualsIfExists": {"aws:k": "a"}}, aws_k="b")

    @pytest.mark.parametrize(("wanted", "found"), [(True, False), ("false", True)])
    def test_null_asks_whether_a_key_is_missing(self, wanted: object, found: bool) -> None:
        assert self.holds({"Null": {"aws:k": wanted}}, **({"aws_k": "x"} if found else {}))
        assert not self.holds({"Null": {"aws:k": wanted}}, **({} if found else {"aws_k": "x"}))

    @pytest.mark.parametrize(
        ("values", "of_all", "of_any"),
        [
            (["a"], True, True),
            (["a", "b"], True, True),
            (["a", "c"], False, True),
            (["c"], False, False),
            ([], True, False),
        ],
    )
    def test_sets(self, values: list[str], of_all: bool, of_any: bool) -> None:
        keys = {"aws:k": ["a", "b"]}
        assert self.holds({"ForAllValues:StringEquals": keys}, aws_k=values) is of_all
        assert self.holds({"ForAnyValue:StringEquals": keys}, aws_k=values) is of_any

    def test_a_value_of_many_under_an_operator_for_one_is_not_judged(self) -> None:
        with pytest.raises(Unjudgeable, match="has many values"):
            self.holds({"StringEquals": {"aws:k": "a"}}, aws_k=["a"])

    @pytest.mark.parametrize(
        "condition",
        [
            {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
            {"ForSome:StringEquals": {"aws:k": "a"}},
            {"StringEquals": {"aws:k": "${aws:username}"}},
        ],
    )
    def test_what_there_is_no_rule_for_is_not_judged(self, condition: dict[str, Any]) -> None:
        with pytest.raises(Unjudgeable):
            self.holds(condition, aws_k="a", **{"aws_sourceip": "10.0.0.1"})


def test_a_value_without_brackets_is_a_list_of_one() -> None:
    assert as_list("a") == ["a"]
    assert as_list(["a", "b"]) == ["a", "b"]
