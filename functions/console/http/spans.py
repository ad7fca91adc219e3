"""Lengths of time, for people."""


def span(seconds: int) -> str:
    """A length of time to the second: `17 h 4 min`, `5 s`."""
    parts = [
        f"{seconds // unit % most} {name}"
        for name, unit, most in (
            ("d", 86_400, 100),
            ("h", 3_600, 24),
            ("min", 60, 60),
            ("s", 1, 60),
        )
        if seconds // unit % most
    ]
    return " ".join(parts) or "0 s"
