"""The log as a file: all that fits the filters, in bounds that the file's name tells of."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from console.views.log import LogQuery, Row
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId
from perkwire.primitives.regexes import regex
from perkwire.primitives.timestamps import MICROSECONDS
from perkwire.reading.log import LogReader, as_listed, parse_filter

MOST_EXPORTED = 5_000
_MOST_BYTES = 4_000_000  # Lambda answers with 6 MB at most, and escapes what JSON has quotes for
_SECONDS = 12
_READ = 100
_COLUMNS = (
    "time",
    "id",
    "status",
    "reason",
    "webhook_id",
    "webhook",
    "event_types",
    "event_ids",
    "attempts",
    "last_attempt_at",
    "status_code",
    "error",
    "duration_ms",
)
# A spreadsheet takes a cell that begins with one of these for a formula, whether or not quotes and
# blanks stand before it. A cell ends at the separator of its reader's country, whatever ours is.
_FORMULA = regex(r"""((?:^|[;,|\t\r\n])[\s"']*)(?=[=+\-@＝＋－＠])""")  # noqa: RUF001 - wide ones too


@dataclass(frozen=True, slots=True)
class Export:
    """The rows of a file, the newest first; `is_all` False: there are older ones."""

    rows: Sequence[Row]
    is_all: bool


def read_export(
    log: LogReader,
    account_id: AccountId,
    wanted: LogQuery,
    names: Mapping[str, str],
    clock: Callable[[], int],
) -> Export:
    """What fits the filters and the tab, from the newest on; raises Problem and Unavailable.

    At most MOST_EXPORTED rows of _MOST_BYTES, looked for _SECONDS long.
    """
    status = {} if wanted.tab is None else {"status": wanted.tab}
    asked = parse_filter({**wanted.parameters, **status})
    deadline = clock() + _SECONDS * MICROSECONDS
    rows: list[Row] = []
    room = _MOST_BYTES
    cursor: str | None = None
    while True:
        page = log.list(account_id, asked, _READ, cursor)
        for item in page.items:
            delivery = cast("dict[str, Any]", item)
            text = json.dumps(as_listed(delivery), indent=1)
            room -= len(text) + text.count('"') + text.count("\n") * 3
            if room < 0 or len(rows) == MOST_EXPORTED:
                return Export(rows, is_all=False)
            rows.append(Row(delivery, names.get(delivery["webhook_id"], "deleted webhook")))
        cursor = page.next_cursor
        if cursor is None:
            return Export(rows, is_all=True)
        if clock() > deadline:
            return Export(rows, is_all=False)


def as_csv(rows: Sequence[Row]) -> str:
    """The rows as CSV (RFC 4180) with a line of names.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    import csv  # for who exports, and for no one else

    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow([_cell(value) for value in _values(row)])
    return out.getvalue()


def _values(row: Row) -> list[object]:
    delivery, last = row.delivery, row.last or {}
    return [
        delivery["created_at"],
        delivery["id"],
        delivery["status"],
        delivery.get("reason"),
        delivery["webhook_id"],
        row.webhook,
        " ".join(delivery["event_types"]),
        " ".join(delivery["event_ids"]),
        len(delivery["attempts"]),
        last.get("at"),
        last.get("status_code"),
        last.get("error"),
        last.get("duration_ms"),
    ]


def _cell(value: object) -> object:
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value
