"""Members of requests at the limits of what the code takes, on this side and on that."""

from perkwire.formats.registry import format_names
from tests.template.contract import Object, text


def each(name: str, *values: object) -> list[Object]:
    """A change of one member, for each value."""
    return [{name: value} for value in values]


EVENT_CHANGES: list[Object] = [
    {},
    *(
        {"type": value}
        for value in (
            "a.b",
            "tier.upgraded",
            "custom.x_1.y",
            "custom.",
            "points",
            "A.b",
            ".a",
            "a.",
            "*",
            "",
            1,
        )
    ),
    {"type": "custom." + text(121)},
    {"type": "custom." + text(122)},
    *each("id", "a", "a.b:c-d_E", "-a", "a b", "é", "", 1, None),
    {"id": text(128)},
    {"id": text(129)},
    *each("program_id", "é", text(128), text(129), "", None, 5),
    *each("account_id", text(256), text(257), "", None),
    *each("data", {}, {"a": [None]}, None, [], "x"),
    *each(
        "occurred_at",
        "2026-11-21T09:30:00Z",
        "2026-11-21t09:30:00.123456789z",
        "2026-11-21T09:30:00+05:30",
        "2026-11-21T09:30:00",
        "2026-11-21 09:30:00Z",
        "2026-11-21T09:30:00.1234567890Z",
        "2026-11-21",
        "yesterday",
        1_795_253_400,
        None,
    ),
    {"colour": "red"},
    {"events": []},
]

WEBHOOK_CHANGES: list[Object] = [
    {},
    *each("name", text(128), text(129), "", "é", "a\x00b", "a\x85b", "a\u2028b", 1, None),
    *each("name", " ", " a", "\u200d", "\u3164", "\u202ea", "a\u200f", "\U000e0067", "😀\u200d😀"),
    *each("description", text(1000), text(1001), "", 1),
    *each("url", "", 1, None, "https://e.example/" + text(2031)),
    *(
        {"event_types": value}
        for value in (["*"], ["custom.b"], ["*", "custom.b"], [], ["*", "*"], "*", None)
    ),
    *each("event_types", ["custom.b", "custom.b"], ["a.b"], ["A.b"], [1], ["tier.upgraded"]),
    *each("event_types", ["custom." + text(121)], ["custom." + text(122)]),
    {"event_types": [f"custom.b{number}" for number in range(200)]},
    {"event_types": [f"custom.b{number}" for number in range(201)]},
    *each("event_types", ["points.*"], ["custom.*"], ["points*"], ["*.points"]),
    *each("filter", {"data": {"points": [1]}}, {"type": ["points.earned"]}, [], "x", 1),
    *each("program_ids", ["a"], ["a", "a"], [], [""], [text(128)], [text(129)]),
    {"program_ids": [f"{number}" for number in range(100)]},
    {"program_ids": [f"{number}" for number in range(101)]},
    *each("headers", {}, {"X-A": "b c"}, {"X A": "b"}, {"X-A": " b"}, None, []),
    *each("headers", {"X-A": ""}, {"X-A": 1}, {"X-A": "é"}, {"": "b"}),
    {"headers": {f"x-{number}": "a" for number in range(20)}},
    {"headers": {f"x-{number}": "a" for number in range(21)}},
    {"headers": {"x": text(3064)}},
    {"headers": {"x": text(3065)}},
    *each("batch_size", 1, 100, 0, 101, "1", True, 1.5, None),
    *each("batch_bytes", 1_024, 900_000, 1_023, 900_001, "65536", None),
    *each("max_per_second", 0.1, 0.25, 1, 999.5, 1000, 0, -1, 0.09, 1000.5, 1e9, "5", True),
    *each("retry_delays_seconds", [], [1], [43_200], [300, 300], [0], [43_201], [1.5], ["1"]),
    *each("retry_delays_seconds", [True], [None], 300, [1] * 99, [1] * 100, [60, 0]),
    *each("pause_when_exhausted", True, False, 1, "yes"),
    *each("enabled", True, False, 0, "true", None),
    {"colour": "red"},
    {"id": "wh_0000000000000001"},
]

NULLS: list[Object] = [
    {"program_ids": None},
    {"description": None},
    {"filter": None},
    {"max_per_second": None},
    {"retry_delays_seconds": None},
    {"pause_when_exhausted": None},
]

CREATION_CHANGES: list[Object] = [
    *NULLS,
    *each("format", *format_names(), "Zinrelo", "", None),
    {"format": "zinrelo", "secret": "hush-hush-hush-hush"},
    {"format": "zinrelo", "secret": "hush-hush"},
    {"format": "zinrelo", "batch_size": 100},
    {"format": "okendo", "batch_size": 2},
    {"format": "voucherify", "batch_size": 2},
    {"format": "zoho-thrive", "batch_size": 2},
    {"format_settings": {}},
    {"format_settings": {"event_name": "x"}, "format": "voucherify"},
    {"format_settings": {"signature_encoding": "base64"}, "format": "qualifio"},
    {"format_settings": {"signature_encoding": "octal"}, "format": "qualifio"},
    {"format_settings": {"colour": "red"}},
    *each("secret", "whsec_", "hush", "", None, 1),
]


EMAIL_CHANGES: list[Object] = [
    *each("notify_emails", [], ["a@b.c"], ["a@b.c", "a@b.c"], ["a@b.c", "d@e.f"], "a@b.c", None),
    *each("notify_emails", ["a"], ["a@b"], ["a b@c.d"], ["é@b.c"], ["a@b..c"], [""], [1]),
    *({"notify_emails": [f"{text(local)}@b.c"]} for local in (64, 65)),
    *({"notify_emails": [f"a@{text(length)}.b"]} for length in (250, 251)),
    *({"notify_emails": [f"a{number}@b.c" for number in range(most)]} for most in (10, 11)),
]

JOB_CHANGES: list[Object] = [
    {},
    *each("since", "2026-09-01", "", "2026-09-01T00:00:00+02:00", text(65), 1, None),
    *each("until", "2026-09-21T00:00:00Z", "2026-09-21", 1, None),
    *each("per_second", 1, 500, 0, 501, "1", True, 1.5, None),
    *each("dry_run", True, False, 0, "true", None),
    *each("event_types", ["a.b"], ["a.b", "a.b"], [], ["*"], ["A.b"], "a.b", None, [1]),
    *({"event_types": [f"a.b{number}" for number in range(most)]} for most in (200, 201)),
    *each("event_types", ["a." + text(126)], ["a." + text(127)]),
    {"colour": "red"},
]
