"""A form that came after its session had ended: kept on the page that asks to sign in.

Nothing of it is stored: the page carries it, and gives it back once somebody has signed in.
"""

from urllib.parse import urlencode

from console.http.form import Form
from console.http.visit import Request, own_path
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.problem import Problem

PATH, FIELDS = "kept_path", "kept_fields"
"""The hidden fields that carry it."""

ACCOUNT = "account"
"""The field by which each form says what account it was filled in for."""

_CSRF = "csrf"
_PART = "part"
"""A script asks for a part of a page, and keeps its page itself."""

_MOST_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class KeptForm:
    """Where a form goes, and what its fields hold, as it came."""

    path: str
    fields: str

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The fields one by one, as hidden ones hold them."""
        form = Form.parse(self.fields)
        return [(name, value) for name in form for value in form.all(name)]

    @property
    def account_id(self) -> str:
        """The account that it was filled in for; empty for none."""
        return Form.parse(self.fields).text(ACCOUNT)


def kept_form(request: Request) -> KeptForm | None:
    """What was sent, without the token of the session that is over; None if there is no use."""
    try:
        form = request.form
    except Problem:
        return None
    if _PART in form:
        return None
    given = {name: [*form.all(name)] for name in form if name != _CSRF}
    fields = urlencode(given, doseq=True)
    return KeptForm(request.path, fields) if len(fields) <= _MOST_CHARACTERS else None


def carried_form(form: Form) -> KeptForm | None:
    """The form that the page of signing in has carried; raises the 400 problem."""
    path, fields = form.text(PATH), form.text(FIELDS)
    if not path or own_path(path) != path:
        return None
    kept = KeptForm(path, fields)
    Form.parse(fields)
    return kept
