"""Pages that stand open of the account before the one that an operator has entered by now."""

from console.http.kept_forms import ACCOUNT
from console.http.of_account import OF, of_account
from console.http.visit import HtmlResponse, Visit
from perkwire.primitives.ids import AccountId

_LONGEST_ID = 128


class OfAnotherAccount(Exception):
    """The page was made for another account than the one that the operator is in."""

    def __init__(self, account_id: AccountId) -> None:
        super().__init__(account_id)
        self.account_id = account_id


def check_account(visit: Visit) -> None:
    """Raise unless an operator's page or form is of the account that they are in, or says none.

    What an admin follows is of their own account, whatever it says: there is no other.
    """
    if visit.visitor is None or not visit.is_operator:
        return
    said = visit.form.text(ACCOUNT) if visit.request.is_form else visit.query.text(OF)
    if said and said != visit.visitor.account_id:
        raise OfAnotherAccount(AccountId(said[:_LONGEST_ID]))


def say_account(visit: Visit, answer: HtmlResponse) -> HtmlResponse:
    """The answer; the page that it leads to is to be of the same account."""
    location = answer.headers.get("location")
    if isinstance(location, str) and visit.entered is not None:
        answer.headers["location"] = of_account(location, visit.entered.id)
    return answer
