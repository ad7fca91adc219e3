"""Where to go on after signing in: to the page that one was on, as long as it can be opened."""

import re

from console.http.visit import own_path, split_url
from perkwire.primitives.regexes import regex

_PARAMETER = regex(r"<\w+>")


class ReturnPaths:
    """The paths that pages and forms have."""

    def __init__(self) -> None:
        self._pages: list[str] = []
        self._forms: list[str] = []

    def add(self, path: str, *, is_form: bool) -> None:
        """A path as the resolver takes it, `<name>` in it being a parameter."""
        (self._forms if is_form else self._pages).append(path)

    def from_form(self, referer: str) -> str:
        """The page that a form was on, by the header Referer.

        A page that a form has answered has an address that only takes forms: then the nearest page
        above it.
        """
        parts = split_url(referer)
        path = parts.path
        while path and not self._is_page(path):
            path = path.rpartition("/")[0]
        query = f"?{parts.query}" if parts.query and path == parts.path else ""
        return own_path(f"{path}{query}")

    def is_form(self, path: str) -> bool:
        """Whether a form may be sent to this path."""
        return any(_matches(form, path) for form in self._forms)

    def _is_page(self, path: str) -> bool:
        if path in self._forms and path not in self._pages:
            return False
        return any(_matches(page, path) for page in self._pages)


def _matches(pattern: str, path: str) -> bool:
    literal = map(re.escape, _PARAMETER.split(pattern))
    return re.fullmatch("[^/]+".join(literal), path) is not None
