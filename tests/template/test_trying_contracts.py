"""`python -m infra.contract`: what is wrong with a file, and what its receivers would get."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from infra.contract import main
from perkwire.formats.contracts.built_in import BUILT_IN, built_in
from perkwire.reading.trying_contracts import said_types

FOLDER = Path(__file__).parents[2] / "functions" / "perkwire" / "formats" / "contracts" / "built_in"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "ours.json"


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_type_of_a_contract_is_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FOLDER / f"{BUILT_IN[name]}.json")]) == 0

    shown = capsys.readouterr().out
    assert all(f"## {one}\n" in shown for one in said_types(built_in(name)))


def test_a_request_is_signed_with_the_given_secret(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = {
        "name": "ours", "version": "1", "events": {"points.earned": "in"}, "body": {"a": 1},
        "signature": {"header": "x-signature", "signed": "{url}{body}"},
    }  # fmt: skip
    written.write_text(json.dumps(contract))

    assert main([str(written), "--secret", "a-secret", "--url", "https://till.example/"]) == 0

    signed = b'https://till.example/{"a":1}'
    expected = hmac.new(b"a-secret", signed, hashlib.sha256).hexdigest()
    assert f"x-signature: {expected}\n" in capsys.readouterr().out


def test_what_is_wrong_is_named_with_its_place(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written.write_text(
        '{"name": "ours", "version": "1", "events": {"*": "x"}, "body": {"a": "=("}}'
    )

    assert main([str(written)]) == 1
    assert capsys.readouterr().err == "/body/a: ends too early\n"


def test_an_example_that_cannot_be_said_fails(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written.write_text(
        '{"name": "ours", "version": "1", "events": {"points.*": "x"}, "body": "=abs(event.id)"}'
    )

    assert main([str(written), "--type", "points.earned"]) == 1
    error = capsys.readouterr().err
    assert (
        error == "points.earned: sample-1 cannot be said: body abs() was given what is no number.\n"
    )


def test_a_file_that_is_no_json_is_refused(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written.write_text("{")

    assert main([str(written)]) == 1
    assert "cannot be read. The body is not JSON" in capsys.readouterr().err
