"""The form of a webhook: from what is filled in to what the API takes, and what it offers."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from console.http.form import Form, ShownProblem, WrongField
from console.views import schedules
from console.views.filter_form import FilterForm, filter_fields
from console.views.form_versions import READ, VERSION, Difference, differences, digests, merged
from console.views.webhook_wording import secret_prefix, secret_rule
from perkwire.catalogue.event_types import CUSTOM, event_types, is_event_type
from perkwire.formats.contracts.contract import Setting
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Format
from perkwire.formats.lookup import AccountFormats
from perkwire.formats.registry import FORMATS, STANDARD
from perkwire.formats.versions import product
from perkwire.model.endpoint import MAX_HEADERS
from perkwire.model.webhook import ALL_TYPES, POST, PULL, Webhook, covers
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import new_form_id
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import Json
from perkwire.trials.samples import default_type

_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "qualifio": (
        "signature_header",
        "signature_algorithm",
        "signature_encoding",
        "signature_prefix",
    ),
    "voucherify": ("event_name", "project_id", "published_as"),
}
_MOST_ROWS = MAX_HEADERS + 20  # more than are allowed, for the library to refuse
_SPARE_ROWS = 2
_ALL = "all"


@dataclass(frozen=True, slots=True)
class TypeBox:
    """A type to tick, and what receivers of the format are told."""

    name: str
    title: str
    said: str
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class TypeGroup:
    """A group of the catalogue, as far as the format says its types."""

    name: str
    boxes: Sequence[TypeBox]


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """A header being filled in, and what is wrong with it."""

    number: int
    name: str
    value: str
    wrong: Sequence[WrongField]


class WebhookForm:
    """What a person has filled in of a webhook: a new one, or `current`."""

    def __init__(
        self,
        form: Form,
        current: Webhook | None = None,
        *,
        formats: AccountFormats,
    ) -> None:
        self.form = form
        self.current = current
        self.formats = formats

    @classmethod
    def empty(cls, formats: AccountFormats) -> "WebhookForm":
        """As a new webhook begins."""
        begun: dict[str, Sequence[str]] = {
            "form_id": [new_form_id()],
            "format": [STANDARD],
            "events": [_ALL],
            "enabled": ["yes"],
        }
        return cls(Form(begun), formats=formats)

    @classmethod
    def filled(cls, webhook: Webhook, formats: AccountFormats) -> "WebhookForm":
        """As a stored webhook begins to be changed."""
        named = [one for one in webhook.event_types if one in event_types()]
        fields: dict[str, Sequence[str]] = {
            "name": [webhook.name],
            "url": ["" if webhook.is_pulled else webhook.url],
            "description": [webhook.description or ""],
            "events": [_ALL if webhook.event_types == (ALL_TYPES,) else "chosen"],
            "event_types": named,
            "other_types": [
                "\n".join(one for one in webhook.event_types if one not in (*named, ALL_TYPES))
            ],
            "program_ids": ["\n".join(webhook.program_ids or ())],
            "batch_size": [str(webhook.batch_size)],
            "batch_bytes": [str(webhook.batch_bytes)],
            **filter_fields(webhook),
            **schedules.filled(webhook),
            "max_per_second": [_text(webhook.max_per_second)],
        }
        for name, value in webhook.format_settings.items():
            fields[f"format_settings.{name}"] = [str(value)]
        read = digests(cls(Form(fields), webhook, formats=formats).stored_values())
        form = Form({**fields, VERSION: [str(webhook.version)], READ: [read]})
        return cls(form, webhook, formats=formats)

    def refused(self, problem: Problem) -> "WebhookForm":
        """As it is shown with a problem: stored headers that may not be kept, to be given again."""
        errors = ShownProblem(problem).errors
        if (
            self.current is None
            or not self.keeps_headers
            or all(one.field != "headers" for one in errors)
        ):
            return self
        again: dict[str, Sequence[str]] = {"headers_are": ["replaced"]}
        for row, name in enumerate(self.current.header_names):
            again |= {f"header_name_{row}": [name], f"header_value_{row}": [""]}
        return WebhookForm(self.form.changed(again), self.current, formats=self.formats)

    def undone(self) -> list[Difference]:
        """Where the form would undo what another has changed since it was filled; raises Problem.

        Of headers, whose values nobody can read, the names are told.
        """
        if self.current is None:
            return []
        mine = self.asked_change()
        if "headers" in mine:
            mine["headers"] = [*self.header_names]
        stored = WebhookForm.filled(self.current, self.formats).stored_values()
        return differences(self.form, mine, stored)

    def brought_up_to_date(self, undone: Sequence[Difference]) -> "WebhookForm":
        """The form with what the person has changed; what is stored now stands in its other fields.

        The next version is then made of both.
        """
        if self.current is None:
            return self
        fresh = WebhookForm.filled(self.current, self.formats).form
        return WebhookForm(merged(self.form, fresh, undone), self.current, formats=self.formats)

    def stored_values(self) -> dict[str, Json]:
        """What is stored of `current`, as a change would say it, if this form is filled from it."""
        values = self.asked_change()
        values["headers"] = [*(self.current.header_names if self.current else ())]
        return values

    @cached_property
    def format(self) -> Format:
        """The format: the stored webhook's own, else the chosen one; raises Unavailable."""
        if self.current is not None:
            return self.formats.of(self.current)
        return self.formats.find(self.form.text("format")) or FORMATS[STANDARD]

    @property
    def contract_settings(self) -> Mapping[str, Setting]:
        """What a contract asks the user of a webhook for."""
        return self.format.contract.settings if isinstance(self.format, ContractFormat) else {}

    @property
    def product(self) -> str:
        """The format's name without its version."""
        return product(self.format.name)

    @property
    def is_pulled(self) -> bool:
        """Whether nobody is called, and what it gets waits to be asked for."""
        if self.current is not None:
            return self.current.is_pulled
        return self.form.text("delivery", POST) == PULL

    @property
    def secret_rule(self) -> str:
        """What a given secret must be."""
        return secret_rule(self.format)

    @property
    def secret_prefix(self) -> str:
        """What a secret that is made for it begins with."""
        return secret_prefix(self.format)

    @property
    def is_secret_made_up(self) -> bool:
        """Whether a test or preview is signed with a secret that nobody has given."""
        return self.current is None and not self.form.text("secret")

    @property
    def own_time_line(self) -> list[str]:
        """When attempts are by the delays that are filled in."""
        return schedules.own_time_line(self.form)

    @property
    def has_all_types(self) -> bool:
        """Whether the webhook is for all events."""
        return self.form.text("events", _ALL) == _ALL

    @property
    def keeps_headers(self) -> bool:
        """Whether the stored headers stay as they are."""
        return self.current is not None and self.form.text("headers_are", "kept") == "kept"

    @property
    def says_custom_types(self) -> bool:
        """Whether the format has a word for the platform's own types."""
        return self.format.name_of(f"{CUSTOM}x") is not None

    @cached_property
    def groups(self) -> list[TypeGroup]:
        """The types that the format says, grouped as in the catalogue."""
        groups: dict[str, list[TypeBox]] = {}
        for one in event_types().values():
            said = self.format.name_of(one.name)
            if said is not None:
                box = TypeBox(one.name, one.title, said, one.name in self._ticked)
                groups.setdefault(one.group, []).append(box)
        return [TypeGroup(name, boxes) for name, boxes in groups.items()]

    @property
    def dropped(self) -> list[str]:
        """Types that were ticked, and are no longer, as this format does not say them."""
        return [one for one in self._ticked if self.format.name_of(one) is None]

    @property
    def samples(self) -> list[str]:
        """The types that a sample can be of: those that are chosen, or all if none is yet."""
        offered = [box.name for group in self.groups for box in group.boxes]
        if self.has_all_types:
            return offered
        said = [
            one
            for one in self._event_types()
            if is_event_type(one) and self.format.name_of(one) is not None
        ]
        covered = [
            name for name in offered if any(covers(one, name) for one in self._event_types())
        ]
        return list(dict.fromkeys([*said, *covered])) or offered

    @property
    def filled_as(self) -> dict[str, str]:
        """Where the form has the event types that are not ticked but written."""
        lines = self.form.lines("other_types")
        return {
            f"event_types[{position}]": f"other_types[{lines.index(one)}]"
            for position, one in enumerate(self._event_types())
            if one not in self._ticked and one in lines
        }

    @property
    def sample(self) -> str:
        """The type that a sample is of, unless another is chosen."""
        chosen = self.form.text("event_type")
        if chosen in self.samples:
            return chosen
        return default_type(self.format) if self.has_all_types else self.samples[0]

    @property
    def header_names(self) -> list[str]:
        """The names of the headers that are filled in."""
        return [name for name, _ in self._headers()]

    @property
    def filter(self) -> FilterForm:
        """The filter that is filled in."""
        return FilterForm(self.form, tuple(self._event_types()))

    def asked_filter_preview(self) -> dict[str, Json]:
        """What POST /v1/webhooks/filter-preview takes; raises Problem."""
        programs: list[Json] = [*self.form.lines("program_ids")]
        return {
            "event_types": [*self._event_types()],
            "program_ids": programs or None,
            "filter": self.filter.asked(),
        }

    def rows(self, problem: ShownProblem | None) -> list[HeaderRow]:
        """The headers that are filled in, and a few more rows."""
        errors = [] if problem is None else problem.of("headers")
        given = [*self._headers(), *[("", "")] * _SPARE_ROWS]
        return [
            HeaderRow(
                number, name, value, [one for one in errors if one.field == f"headers.{name}"]
            )
            for number, (name, value) in enumerate(given)
        ]

    def asked(self) -> dict[str, Json]:
        """The webhook as POST /v1/webhooks takes it; raises Problem for a header named twice."""
        value = self._shared()
        for name in ("name", "url"):
            if not value.get(name):
                value.pop(name, None)
        if self.is_pulled:
            value["delivery"] = PULL
        value["format"] = self.form.text("format", STANDARD)
        value["enabled"] = "enabled" in self.form
        value |= {
            name: said for name, said in schedules.asked(self.form).items() if said is not None
        }
        value["headers"] = self._headers_object()
        if programs := self.form.lines("program_ids"):
            value["program_ids"] = [*programs]
        if description := self.form.text("description"):
            value["description"] = description
        if (pattern := self.filter.asked()) is not None:
            value["filter"] = pattern
        if (pace := self.form.fraction("max_per_second")) is not None:
            value["max_per_second"] = pace
        if secret := self.form.text("secret"):
            value["secret"] = secret
        return value

    def asked_change(self) -> dict[str, Json]:
        """The change as PATCH /v1/webhooks/{id} takes it; raises as `asked`."""
        value = self._shared()
        value["program_ids"] = [*self.form.lines("program_ids")] or None
        value["description"] = self.form.text("description") or None
        value["filter"] = self.filter.asked()
        value |= schedules.asked(self.form)
        value["max_per_second"] = self.form.fraction("max_per_second")
        if not self.keeps_headers:
            value["headers"] = self._headers_object()
        return value

    def asked_test(self) -> dict[str, Json]:
        """The test: of the change, of a stored webhook; else as POST /v1/webhooks/test takes it."""
        if self.current is None:
            return self.asked_sample()
        return {**self.asked_change(), "event_type": self._asked_type()}

    def asked_sample(self) -> dict[str, Json]:
        """The webhook as POST /v1/webhooks/test takes it: with the type of the sample.

        Without a format if it is a stored one, whose format stays.
        """
        value = self.asked()
        value["event_type"] = self._asked_type()
        if self.current is not None:
            del value["format"]
        return value

    def _asked_type(self) -> str:
        """The type of the sample; of one that is chosen no longer, the first that is."""
        asked = self.form.text("event_type", self.sample)
        is_offered = any(box.name == asked for group in self.groups for box in group.boxes)
        return self.sample if is_offered and asked not in self.samples else asked

    def _shared(self) -> dict[str, Json]:
        value: dict[str, Json] = {
            "name": self.form.text("name"),
            "url": self.form.text("url"),
            "event_types": [*self._event_types()],
        }
        if self.is_pulled and not value["url"]:
            del value["url"]
        if (batch_size := self.form.number("batch_size")) is not None:
            value["batch_size"] = batch_size
        if (batch_bytes := self.form.number("batch_bytes")) is not None:
            value["batch_bytes"] = batch_bytes
        if settings := _SETTINGS.get(self.product, tuple(self.contract_settings)):
            value["format_settings"] = {
                name: given
                for name in settings
                if (given := self.form.text(f"format_settings.{name}"))
            }
        return value

    def _event_types(self) -> list[str]:
        if self.has_all_types:
            return [ALL_TYPES]
        return list(dict.fromkeys([*self._ticked, *self.form.lines("other_types")]))

    @cached_property
    def _ticked(self) -> list[str]:
        """The types that are ticked themselves or by their groups; groups need no script so."""
        groups = set(self.form.texts("event_groups"))
        of_groups = (
            one.name
            for one in event_types().values()
            if one.group in groups and self.format.name_of(one.name) is not None
        )
        return list(dict.fromkeys([*self.form.texts("event_types"), *of_groups]))

    def _headers(self) -> Iterator[tuple[str, str]]:
        for row in range(_MOST_ROWS):
            name = self.form.text(f"header_name_{row}")
            value = self.form.text(f"header_value_{row}")
            if name or value:
                yield name, value

    def _headers_object(self) -> dict[str, Json]:
        headers: dict[str, Json] = {}
        for name, value in self._headers():
            if name in headers:
                raise invalid([FieldError(f"headers.{name}", "is there twice")])
            headers[name] = value
        return headers


def _text(number: float | None) -> str:
    return "" if number is None else str(number)
