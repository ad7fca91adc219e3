"""SES: single mails to people, from the address that the stack was given."""

from collections.abc import Callable
from email.utils import formataddr
from functools import cached_property

from perkwire.adapters.aws import MailClient, failing_as_unavailable
from perkwire.managing.mailing_links import Mail

_CHARSET = "UTF-8"


class SesMailer:
    """Fulfils mailing_links.Mailer. Makes its client at the first mail."""

    def __init__(
        self, make_client: Callable[[], MailClient], sender: str, name: Callable[[], str]
    ) -> None:
        """`name` is what the sender is called in the mails."""
        self._make_client = make_client
        self._sender = sender
        self._name = name

    @cached_property
    def _client(self) -> MailClient:
        return self._make_client()

    def send(self, mail: Mail) -> None:
        """Hand it to SES; raises Unavailable."""
        with failing_as_unavailable("SES"):
            self._client.send_email(
                Source=formataddr((self._name(), self._sender)),
                Destination={"ToAddresses": [mail.to]},
                Message={
                    "Subject": {"Data": mail.subject, "Charset": _CHARSET},
                    "Body": {"Text": {"Data": mail.text, "Charset": _CHARSET}},
                },
            )
