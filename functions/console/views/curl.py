"""A request as a command line, to send it by hand: with placeholders for what is secret."""

import shlex
from collections.abc import Collection, Mapping

PLACEHOLDER = "…"


def as_curl(
    url: str, headers: Mapping[str, str | None], body: str, hidden: Collection[str] = ()
) -> str:
    """The command. Headers that are None or `hidden` get a placeholder for their value."""
    # curl takes `/a/../b` for `/b`, which is not what is sent.
    path_as_is = " --path-as-is" if "/." in url else ""
    lines = [f"curl -X POST{path_as_is} {shlex.quote(url)}"]
    for name, value in headers.items():
        shown = PLACEHOLDER if value is None or name in hidden else value
        lines.append(f"  -H {shlex.quote(f'{name}: {shown}')}")
    lines.append(f"  --data-raw {shlex.quote(body)}")
    return " \\\n".join(lines)
