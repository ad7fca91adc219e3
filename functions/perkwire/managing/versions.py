"""A change made from what somebody has read, which another may have changed since."""

from collections.abc import Collection, Mapping

from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json


def check_read_version(
    read: Collection[int] | None,
    version: int,
    stored: Mapping[str, Json],
    sent: Mapping[str, Json] | None = None,
) -> None:
    """Raise the 412 problem unless `version` is one that was read; None: nobody said what was.

    `stored` is what there is now, as the API answers it, `sent` what was to be changed.
    """
    if read is None or version in read:
        return
    extra: dict[str, Json] = {"version": version, "stored": {**stored}}
    if sent is not None:
        extra["sent"] = {
            name: value for name, value in sent.items() if name in stored and stored[name] != value
        }
    raise Problem(
        412,
        "changed",
        "It was changed since you have read it; nothing is changed now.",
        detail="Look at what is stored, and send what you still want with its version.",
        extra=extra,
    )
