"""docs/fields.md: what each format passes on."""

from pathlib import Path
from typing import Any

import pytest

from infra.fields import PAGE, WHOLE, leaves, main, named, page, passed_on
from perkwire.catalogue.event_types import event_types
from perkwire.formats.registry import FORMATS
from tests.builders import a_payload, an_event


def test_the_page_is_what_the_formats_do() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m infra.fields`"


def test_the_check_fails_on_drift_and_writes_nothing(tmp_path: Path) -> None:
    written = tmp_path / "fields.md"
    written.write_text("old")

    assert main(["--check", "--page", str(written)]) == 1
    assert written.read_text() == "old"
    assert main(["--page", str(written)]) == 0
    assert main(["--check", "--page", str(written)]) == 0


@pytest.mark.parametrize("name", WHOLE)
def test_all_of_data_reaches_receivers_of_the_formats_that_say_so(name: str) -> None:
    format_ = FORMATS[name]
    said = [one for one in event_types().values() if format_.name_of(one.name)]
    examples = {named(path) for one in said for path in leaves(one.example)}

    assert passed_on(name) == dict.fromkeys(examples, True)


def test_a_field_of_no_list_changes_nothing_and_one_of_a_list_does() -> None:
    """By hand, for one field of either kind."""
    fields = passed_on("zoho-thrive")
    example: Any = event_types()["tier.upgraded"].example

    def body(**member: str) -> bytes:
        data = {**example, "member": {**example["member"], **member}}
        event = an_event(id="evt_1", type="tier.upgraded", data=data)
        return FORMATS["zoho-thrive"].render(a_payload(event))

    assert "member.phone" not in fields
    assert body(phone="+1") == body()
    assert fields["member.email"]
    assert body(email="other@example.com") != body()


def test_a_field_that_only_some_types_pass_on_is_marked() -> None:
    assert passed_on("voucherify@2024-01-01")["member.phone"] is False
    assert "*`phone`*" in page()
