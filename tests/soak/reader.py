"""Somebody who pulls a webhook, and what he must have got by the end."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from standardwebhooks import Webhook

_ANSWER_LOST_EVERY = 3
_MOST = 20  # in one answer

type Call = Callable[[str, str], tuple[int, Any]]
"""Method and path to status and JSON; 0 if nobody answers."""


@dataclass(frozen=True)
class Request:
    """One request as it was pulled, of which the signature has been checked."""

    delivery_id: str
    body: str

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """The events in the body, alone or in a batch's envelope."""
        read = json.loads(self.body)
        found: Sequence[Mapping[str, Any]] = (
            read["data"]["events"] if read["type"] == "batch" else [read]
        )
        return found


class Reader:
    """Pulls one webhook, and goes on behind the last answer that he has got.

    Each third answer is lost to him: he asks again with the cursor that he had, and must be given
    the same, or more behind it. `wrong` collects what must not be.
    """

    def __init__(self, call: Call, webhook: Mapping[str, Any], after: str | None = None) -> None:
        self._call = call
        self.webhook = webhook
        self._cursor = after
        self._answers = 0
        self._lost: list[Request] = []
        self.pulled: list[Request] = []
        self.wrong: list[str] = []

    def from_the_beginning(self) -> Self:
        """Another one, who has nothing yet."""
        return type(self)(self._call, self.webhook, "0")

    def pull(self) -> bool:
        """Ask once; whether there was an answer, and nothing in it."""
        path = f"/v1/webhooks/{self.webhook['id']}/pull?limit={_MOST}"
        if self._cursor is not None:
            path += f"&after={self._cursor}"
        status, page = self._call("GET", path)
        if status != 200:
            return False
        got = [self._verified(one) for one in page["data"]]
        if got[: len(self._lost)] != self._lost:
            self.wrong.append(f"asked again he was given {got}, and {self._lost} before")
        self._answers += 1
        if got and self._answers % _ANSWER_LOST_EVERY == 0:
            self._lost = got
            return False
        self._lost = []
        self.pulled += got
        self._cursor = page["next_cursor"]
        return not got

    def mistakes(self, wanted: Collection[str]) -> Iterator[str]:
        """What is wrong with what he has got, if those are the ids of all events by now."""
        place = f"whoever pulls {self.webhook['id']}"
        yield from (f"{place}: {one}" for one in self.wrong)
        anew = self.from_the_beginning()
        while not anew.pull():
            if anew.wrong:
                break
        if self.pulled != anew.pulled:
            yield f"{place} got {_ids(self.pulled)}, and of the list at rest {_ids(anew.pulled)}"
        carried: defaultdict[str, list[str]] = defaultdict(list)
        for request in self.pulled:
            for event in request.events:
                carried[event["id"]].append(request.delivery_id)
        yield from (f"{place} has not got {one}" for one in {*wanted} - carried.keys())
        for event_id, deliveries in carried.items():
            if len(deliveries) > 1:
                yield f"{place} got {event_id} in {deliveries}"

    def _verified(self, one: Mapping[str, Any]) -> Request:
        headers, body = one["headers"], one["body"]
        Webhook(self.webhook["secret"]).verify(body, headers)
        if headers["webhook-id"] != one["delivery_id"]:
            self.wrong.append(f"{one['delivery_id']} is signed as {headers['webhook-id']}")
        return Request(one["delivery_id"], body)


def _ids(requests: Sequence[Request]) -> list[str]:
    return [request.delivery_id for request in requests]
