"""Which account a page was made for: an operator's links say it, for there may be two tabs.

An operator's session is in one account at a time. A page that stands open in another tab may be of
the account before: what it leads to must not open silently for the one that is entered now.
"""

from typing import Final
from urllib.parse import urlencode

from perkwire.primitives.ids import AccountId
from perkwire.primitives.regexes import regex

OF: Final = "of"
"""The parameter of the URL that says it."""

# Text in pages is escaped, so that no `<a` or `<form` is anybody else's.
_LINK = regex(r"""(<a\b[^<>]*? href=")(/console(?!/help|/static)[^"]*|\?[^"]*)(?=")""")
_SEARCH = regex(r"""<form\b[^<>]* method="get"[^<>]*>""")
_FRAGMENT = regex(r"(?<!&)#")


def carrying(page: str, account_id: AccountId) -> str:
    """The page with links and searches that say what account they were made for."""
    said = urlencode({OF: account_id})
    page = _LINK.sub(lambda found: found[1] + _said(found[2], said, "&amp;"), page)
    hidden = f'<input type="hidden" name="{OF}" value="{account_id}">'
    return _SEARCH.sub(lambda found: found[0] + hidden, page)


def of_account(path: str, account_id: AccountId) -> str:
    """The path of a page of the console that says what account it is of."""
    return _said(path, urlencode({OF: account_id}), "&")


def _said(path: str, said: str, separator: str) -> str:
    place = _FRAGMENT.search(path)
    end = place.start() if place else len(path)
    before = path[:end]
    if said in before:
        return path
    return f"{before}{separator if '?' in before else '?'}{said}{path[end:]}"
