"""The stylesheet, the script and the mark: served under names that change with their contents."""

import hashlib
import re
from pathlib import Path

from perkwire.primitives.dataclass import dataclass

_FOLDER = Path(__file__).parents[1] / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HASH_LENGTH = 12
# Browsers need none, and no text of ours goes on in a second line.
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of ours, and the name under which browsers may keep it for good."""

    name: str
    text: str
    content_type: str


def unindented(text: str) -> str:
    """The text without the blanks that its lines begin with."""
    return _INDENTATION.sub("", text)


class Assets:
    """All files of static/, read when the function starts."""

    def __init__(self) -> None:
        self._by_name: dict[str, Asset] = {}
        self._names: dict[str, str] = {}
        for path in sorted(_FOLDER.iterdir()):
            text = unindented(path.read_text(encoding="utf-8"))
            digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
            name = f"{path.stem}.{digest}{path.suffix}"
            self._by_name[name] = Asset(name, text, _TYPES[path.suffix])
            self._names[path.name] = name

    def url(self, file: str) -> str:
        """Where `console.css` is today."""
        return f"/console/static/{self._names[file]}"

    def find(self, name: str) -> Asset | None:
        """What is served under this name; None for that of other contents, too."""
        return self._by_name.get(name)
