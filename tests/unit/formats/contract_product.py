"""A product whose format a contract says, as its tests begin: deliveries, and the page's lines."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import ProductEvent, product_events
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.contracts.built_in import built_in
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.primitives.fields import Fields
from tests.builders import NOW, a_delivery_message, a_webhook, an_event


@dataclass(frozen=True)
class ContractProduct:
    """`name` is that of the contract, with its version; `secret` signs what is delivered."""

    name: str
    secret: str

    @property
    def format(self) -> ContractFormat:
        return built_in(self.name)

    @property
    def events(self) -> Sequence[ProductEvent]:
        """The lines of the product's page."""
        return product_events(self.name.partition("@")[0])

    @property
    def types(self) -> list[str]:
        """Those of the catalogue that the format has a word for."""
        return [one for one in event_types() if self.format.name_of(one)]

    def delivery(
        self, event_type: str, **settings: str
    ) -> tuple[dict[str, Any], dict[str, str], bytes]:
        """What a receiver gets: the body, the headers, the bytes."""
        webhook = a_webhook(
            format=self.name,
            format_settings=self.format.read_settings(Fields(dict(settings))),
            url="https://receiver.example/hook",
        )
        event = an_event(type=event_type, data=event_types()[event_type].example, program_id="7")
        message = a_delivery_message(webhook, event)
        request = render(message, webhook, OpenedSecrets(self.secret, {}), NOW)
        body: dict[str, Any] = json.loads(request.body)
        return body, dict(request.headers), request.body

    def says(self, event: ProductEvent) -> None:
        """Fail unless each type of a line is said by the line's name, and topic if it has one."""
        for event_type in event.types:
            said = self.format.contract.said(event_type)
            assert said is not None
            assert said.name == event.name.name
            if event.name.topic is not None:
                assert event.name.topic in said.words.values()
            assert event.name.name in json.dumps(self.delivery(event_type)[0])

    def says_no_more(self) -> None:
        """Fail if a type is said that no line has."""
        assert {*self.types} == {one for event in self.events for one in event.types}
