"""Whose a call is, what happens to one that is refused, and what is found of rights in the end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.iam import unused
from tests.iam.calls import Data, queue_arn
from tests.iam.evaluator import Unjudgeable
from tests.iam.in_function import write_rules
from tests.iam.judging import Judge, Rules, Running, judged, lines
from tests.iam.unused import complaints, granted

QUEUE = "http://127.0.0.1:4566/000000000000/q"
SEND = {"Sid": "Send", "Effect": "Allow", "Action": "sqs:SendMessage"}
RULES = Rules(
    {"ingest": [SEND | {"Resource": queue_arn(QUEUE)}], "router": []}, Data({"": "pk"}, {})
)
CLIENT = SimpleNamespace(meta=SimpleNamespace(service_model=SimpleNamespace(service_name="sqs")))


@pytest.fixture
def make(tmp_path: Path) -> Any:  # noqa: ANN401 - botocore's own method, judged
    return judged(lambda *arguments: arguments[1], Judge(lambda: RULES, tmp_path))


def send(make: Any) -> Any:  # noqa: ANN401
    return make(CLIENT, "SendMessage", {"QueueUrl": QUEUE})


def test_what_a_role_allows_goes_out_and_is_remembered_once(make: Any, tmp_path: Path) -> None:  # noqa: ANN401
    handler = Running.within("ingest", lambda event, context: send(make))
    assert handler({}, None) == handler({}, None) == "SendMessage"
    assert lines(tmp_path, "used") == [("ingest", "Send", "sqs:SendMessage")]
    assert lines(tmp_path, "refused") == []


def test_what_it_does_not_is_refused_as_aws_refuses_and_written_down(
    make: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    with pytest.raises(ClientError) as refusal:
        Running.within("router", lambda event, context: send(make))({}, None)
    assert refusal.value.response["Error"]["Code"] == "AccessDenied"
    ((function, call, where),) = lines(tmp_path, "refused")
    assert (function, call) == ("router", "sqs:SendMessage")
    assert queue_arn(QUEUE) in where


def test_what_cannot_be_judged_is_written_down_too(make: Any, tmp_path: Path) -> None:  # noqa: ANN401
    handler = Running.within("ingest", lambda event, context: make(CLIENT, "PurgeQueue", {}))
    with pytest.raises(Unjudgeable):
        handler({}, None)
    assert lines(tmp_path, "refused") == [
        ("ingest", "sqs:PurgeQueue", "no rule for the call sqs:PurgeQueue")
    ]


def test_a_call_outside_of_functions_is_the_tests_own(make: Any, tmp_path: Path) -> None:  # noqa: ANN401
    assert send(make) == "SendMessage"
    assert lines(tmp_path, "used") == []


class TestWhoseACallIs:
    @pytest.fixture(autouse=True)
    def threads_know(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(threading.Thread, "start", Running.inherited(threading.Thread.start))

    def test_a_functions_threads_are_its_own_and_so_are_theirs(self) -> None:
        found: list[str | None] = []

        def deeper() -> None:
            with ThreadPoolExecutor(1) as pool:
                found.append(pool.submit(Running.function).result())

        def handle(event: object, context: object) -> None:
            thread = threading.Thread(target=deeper)
            thread.start()
            thread.join()

        Running.within("dispatcher", handle)({}, None)
        assert found == ["dispatcher"]

    def test_what_is_only_rehearsed_is_nobodys(self) -> None:
        found: list[str | None] = []
        rehearse = Running.rehearsing(lambda: found.append(Running.function()))

        def handler() -> None:
            rehearse()
            found.append(Running.function())

        Running.within("router", handler)()

        assert found == [None, "router"]

    def test_a_function_that_another_calls_is_itself_and_the_other_then_again(self) -> None:
        found: list[str | None] = []
        note = Running.within("dispatcher", lambda event, context: found.append(Running.function()))

        def handle(event: object, context: object) -> None:
            note(event, context)
            found.append(Running.function())

        Running.within("management", handle)({}, None)
        assert found == ["dispatcher", "management"]
        assert Running.function() is None


def test_functions_see_rules_that_have_changed(tmp_path: Path) -> None:
    from tests.iam.in_function import _RULES, _File

    write_rules(tmp_path, RULES)
    file = _File(tmp_path / _RULES)
    assert file.read() == RULES
    write_rules(tmp_path, Rules({"ingest": []}, RULES.data))
    assert file.read().policies == {"ingest": []}


class TestUnused:
    GIVEN = ("ingest", "SendEvents", "sqs:SendMessage")

    def found(
        self,
        monkeypatch: pytest.MonkeyPatch,
        folder: Path,
        *,
        used: bool,
        explained: bool,
        given: bool = True,
    ) -> list[str]:
        monkeypatch.setattr(unused, "granted", lambda: {self.GIVEN} if given else set())
        monkeypatch.setattr(unused, "EXPLAINED", {self.GIVEN: "why"} if explained else {})
        if used:
            (folder / "used-1").write_text('["ingest", "SendEvents", "sqs:SendMessage"]\n')
        return complaints(folder)

    def test_a_right_is_used_or_explained(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        assert self.found(monkeypatch, tmp_path, used=False, explained=True) == []
        (complaint,) = self.found(monkeypatch, tmp_path, used=False, explained=False)
        assert complaint.startswith("ingest SendEvents sqs:SendMessage: no test uses it")
        assert self.found(monkeypatch, tmp_path, used=True, explained=False) == []

    def test_an_explanation_is_needed_and_is_of_a_right_that_there_is(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (complaint,) = self.found(monkeypatch, tmp_path, used=False, explained=True, given=False)
        assert "no role has it" in complaint
        (complaint,) = self.found(monkeypatch, tmp_path, used=True, explained=True)
        assert "says that none does" in complaint

    def test_every_function_has_rights(self) -> None:
        assert {function for function, _, _ in granted()} == {
            "authorizer",
            "ingest",
            "router",
            "dispatcher",
            "jobs",
            "management",
            "console",
        }
