"""What `make audit` makes of what its tools say: findings fail, want of a network does not.

The scan for secrets needs no network, so it runs here too, on what is committed.
"""

import json

import pytest

from infra.audit import Outcome, find_secrets, judge_advisories, judge_secrets

KNOWN = {"name": "requests", "version": "2.0.0", "vulns": []}
UNKNOWN = {"name": "six", "skip_reason": "Dependency not found on PyPI"}
VULNERABLE = {
    "name": "urllib3",
    "version": "1.0.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1.0"], "aliases": [], "description": ""}],
}
FOUND = "urllib3 1.0.0: PYSEC-1, fixed in 1.1.0"


def report(*dependencies: object) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_nothing_found_is_nothing_said() -> None:
    assert judge_advisories(0, report(KNOWN), "") == Outcome()


def test_a_vulnerable_package_is_a_finding() -> None:
    outcome = judge_advisories(1, report(KNOWN, VULNERABLE, UNKNOWN), "Found 1")

    assert outcome == Outcome((FOUND,), ["no answer about six"])


def test_a_service_that_does_not_answer_is_no_finding_and_is_said() -> None:
    outcome = judge_advisories(1, "", "requests.exceptions.ConnectionError: no route")

    assert outcome.findings == ()
    assert [line[:11] for line in outcome.skipped] == ["no network:"]


def test_an_index_that_knows_no_advisories_is_no_clean_bill() -> None:
    outcome = judge_advisories(0, report(UNKNOWN, UNKNOWN), "")

    assert [line[:11] for line in outcome.skipped] == ["no network:"]


def test_a_tool_that_breaks_is_a_finding() -> None:
    for status, errors in ((1, "No module named pip_audit"), (0, ""), (2, "unknown option")):
        assert len(judge_advisories(status, "", errors).findings) == 1


def test_a_credential_is_a_finding_unless_it_is_meant_to_be_there() -> None:
    key = {"type": "AWS Access Key", "line_number": 7}
    user_info = {"type": "Basic Auth Credentials", "line_number": 69}
    results = {"infra/a.py": [key, user_info], "tests/unit/model/test_endpoint.py": [user_info]}

    assert judge_secrets(json.dumps({"results": results})) == [
        "AWS Access Key in infra/a.py:7",
        "Basic Auth Credentials in infra/a.py:69",
    ]


@pytest.mark.timeout(400)  # a minute of CPU, beside other tests
def test_there_is_no_secret_in_the_repository() -> None:
    assert find_secrets() == Outcome()
