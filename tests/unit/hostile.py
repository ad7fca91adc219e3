"""Data of the right shape with values that break careless code."""

from hypothesis import strategies as st

from perkwire.primitives.strict_json import Json

TEXTS = st.sampled_from(
    [
        "\"\\/'",
        "\x00\x1f\x7f\r\n\t",
        "\u202e\u05d0\u2066",
        "\u2028\u2029\ufeff",
        "😀🏳️‍🌈",
        "</script>",
        "",
        "9" * 30,
        "-1",
        "2026-02-30",
    ]
) | st.text(max_size=12)
NUMBERS = st.sampled_from([0, -1, 2**63 - 1, -(2**63), 2**64 - 1, 0.1, -2.5, 1e300, -0.0])


def hostile(value: Json) -> st.SearchStrategy[Json]:
    """The like of a value, some of its strings and numbers replaced."""
    match value:
        case str():
            return st.just(value) | TEXTS
        case dict():
            return st.fixed_dictionaries({key: hostile(inner) for key, inner in value.items()})
        case list():
            return st.tuples(*map(hostile, value)).map(list)
        case bool() | None:
            return st.just(value)
        case _:
            return st.just(value) | NUMBERS
