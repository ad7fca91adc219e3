"""`make audit`: known vulnerabilities in what is pinned, and secrets in what is committed.

Fails on any finding. What cannot be asked for want of a network, or of an answer about a package,
is said to be skipped, and fails nothing: the same run passes on a machine without one.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("packages/requirements.txt", "requirements-dev.txt")

_SECONDS = 300
_UNREACHABLE = re.compile(
    r"(Connection|NameResolution|Timeout|Proxy|SSL|Service)Error|[Tt]imed out"
)
# Guesses by entropy or by names find our test vectors and nothing else; the others know the forms
# of real credentials.
_GUESSING = ("Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector")
# No comment excuses a line, nor what looks like a look-up: that is also quicker.
_EXCUSING = ("allowlist.is_line_allowlisted", "heuristic.is_indirect_reference")
_OUR_KEY = re.compile(rb"\bpk_[A-Za-z0-9_-]{43}\b")
_EXAMPLES = {"docs/openapi.yaml"}
# User info in URLs is what the tests of the rule for URLs are about.
_ALLOWED = {
    ("tests/unit/model/test_endpoint.py", "Basic Auth Credentials"),
    ("tests/unit/managing/test_endpoint_warnings.py", "Basic Auth Credentials"),
}


@dataclass(frozen=True)
class Outcome:
    """What a check found, and what it could not look at."""

    findings: Sequence[str] = ()
    skipped: Sequence[str] = ()


def main() -> int:
    """Run all checks; the exit status is 1 for any finding."""
    failed = False
    checks = [
        *((f"vulnerabilities in {name}", _vulnerabilities(name)) for name in REQUIREMENTS),
        ("secrets in the repository", find_secrets()),
    ]
    for name, outcome in checks:
        for finding in outcome.findings:
            print(f"{name}: FOUND {finding}")
        for skipped in outcome.skipped:
            print(f"{name}: skipped: {skipped}")
        if not outcome.findings and not outcome.skipped:
            print(f"{name}: none")
        failed = failed or bool(outcome.findings)
    return int(failed)


def judge_advisories(status: int, output: str, errors: str) -> Outcome:
    """What pip-audit has said, in JSON; a package that it did not get to know is skipped."""
    try:
        dependencies = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        last = (errors.strip().splitlines() or ["it said nothing"])[-1]
        if status and _UNREACHABLE.search(errors):
            return Outcome(skipped=["no network: the advisory service does not answer"])
        return Outcome(findings=[f"pip-audit failed: {last}"])
    findings = tuple(
        f"{one['name']} {one['version']}: {advisory['id']}, "
        f"fixed in {', '.join(advisory['fix_versions']) or 'no version yet'}"
        for one in dependencies
        for advisory in one.get("vulns", [])
    )
    unknown = [one["name"] for one in dependencies if "skip_reason" in one]
    if unknown and len(unknown) == len(dependencies):
        return Outcome(findings, ["no network: the advisory service knows none of the packages"])
    return Outcome(findings, [f"no answer about {', '.join(unknown)}"] if unknown else ())


def judge_secrets(output: str) -> list[str]:
    """What detect-secrets has found, less what is meant to be there."""
    return [
        f"{found['type']} in {file}:{found['line_number']}"
        for file, several in json.loads(output)["results"].items()
        for found in several
        if (file, found["type"]) not in _ALLOWED
    ]


def find_secrets() -> Outcome:
    """Look through every file that git knows."""
    disabled = [part for name in _GUESSING for part in ("--disable-plugin", name)]
    for name in _EXCUSING:
        disabled += ["--disable-filter", f"detect_secrets.filters.{name}"]
    done = _run("detect_secrets", "scan", "--no-verify", *disabled)
    if done.returncode:
        return Outcome(findings=[f"detect-secrets failed: {done.stderr.strip()[-300:]}"])
    return Outcome((*judge_secrets(done.stdout), *_our_keys()))


def _vulnerabilities(requirements: str) -> Outcome:
    done = _run(
        "pip_audit",
        "--requirement",
        requirements,
        "--require-hashes",
        "--disable-pip",  # every version is pinned: nothing is to be resolved or installed
        "--format=json",
        "--progress-spinner=off",
    )
    return judge_advisories(done.returncode, done.stdout, done.stderr)


def _our_keys() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = {name.decode() for name in listed.stdout.split(b"\0") if name} - _EXAMPLES
    return [
        f"API key in {name}"
        for name in sorted(names)
        if (ROOT / name).is_file() and _OUR_KEY.search((ROOT / name).read_bytes())
    ]


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
