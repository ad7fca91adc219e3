"""A contract as it is written, and as it was read: every part of the language in one place.

docs/contracts.md describes it, functions/perkwire/formats/contracts/schema.json is its JSON Schema
for editors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field

from perkwire.catalogue.event_types import CUSTOM, event_types, is_event_type
from perkwire.formats.contracts.keys import ANY, matching
from perkwire.formats.contracts.recipes import OF_STANDARD_WEBHOOKS, Recipe, read_recipe
from perkwire.formats.contracts.templates import Absent, Place, Template, TemplateReader
from perkwire.model.endpoint import check_header_name
from perkwire.model.header_rules import folded
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields, one_of
from perkwire.primitives.problem import FieldError, invalid
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json, compact

LARGEST_CONTRACT = 65_536
"""In bytes of compact JSON."""
MOST_EVENTS = 250
MOST_BODIES = 100
MOST_HEADERS = 20
MOST_SETTINGS = 10
MOST_CHOICES = 20
LARGEST_BATCH = 100
LONGEST_NAME = 40

_NAME = regex(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_VERSION = regex(r"[0-9a-z][0-9a-z.-]{0,15}")
_SETTING = regex(r"[a-z][a-z0-9_]{0,39}")
_CONTENT_TYPE = regex(r"application/(?:[a-z0-9.-]+\+)?json(?:; charset=utf-8)?")
_CONTENT_TYPE_FORM = "application/json, or application/…+json"
_TYPE_IN_NAME = "{type}"
_SUCCESSES = range(200, 300)
SENDABLE = regex(r"[!-~]+(?:[ \t]+[!-~]+)*")
"""A value that a header may have."""
IN_HEADER_FORM = "must be visible ASCII, with blanks inside only: a header has it"


@dataclass(frozen=True, slots=True)
class Said:
    """What receivers are told that happened, and further words that templates may use."""

    name: str
    words: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that the user of a webhook fills in: a text, one of `choices` if there are any.

    `in_header` says that a header has it, so that it must be one that a header may have.
    """

    title: str
    default: str | None
    choices: tuple[str, ...]
    in_header: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """How several events become one body; `always` if a single one is wrapped too."""

    largest: int
    body: Template
    always: bool
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract that was read. `source` is the JSON that it was read from.

    Its `repr` has neither the headers nor the source: a header may be a plain text, and whoever
    wrote the contract may have put a credential there.
    """

    name: str
    version: str
    title: str
    description: str | None
    events: Mapping[str, Said]
    bodies: Sequence[tuple[frozenset[str], Template]]
    body: Template | None
    batch: Batch | None
    headers: Mapping[str, Template] = field(repr=False)
    content_type: str
    signature: Recipe | None
    success: frozenset[int]
    settings: Mapping[str, Setting]
    source: Mapping[str, Json] = field(repr=False)

    def said(self, event_type: str) -> Said | None:
        """What an event of this type is called; None if it cannot be said."""
        key = matching(self.events, event_type)
        if key is None:
            return None
        found = self.events[key]
        return Said(found.name.replace(_TYPE_IN_NAME, event_type), found.words)

    def body_of(self, event_type: str) -> Template | None:
        """The template for a type: the first that is for it, else the one for all."""
        for types, body in self.bodies:
            if matching(types, event_type) is not None:
                return body
        return self.body


def read_contract(value: dict[str, Json], *, version: str | None = None) -> Contract:
    """Read a contract; raises the 422 problem that names every wrong place.

    `version` is the one that it gets, whatever it says itself; None: it must say one.
    """
    fields = Fields(value)
    if len(compact(value)) > LARGEST_CONTRACT:
        raise invalid([FieldError("", f"must have at most {LARGEST_CONTRACT} bytes", "")])
    reader = TemplateReader(_absent(fields))
    contract = Contract(
        name=fields.required_text(
            "name", longest=LONGEST_NAME, pattern=_NAME, form="small letters, digits and hyphens"
        ),
        version=_version(fields, version),
        title=fields.text("title", longest=80) or str(value.get("name")),
        description=fields.text("description", longest=1000),
        events=_events(fields, reader),
        bodies=_bodies(fields, reader),
        body=_body(fields, reader, value),
        batch=_batch(fields, reader),
        headers=_headers(fields, reader),
        content_type=_content_type(fields),
        signature=_signature(fields),
        success=_success(fields),
        settings=_settings(fields),
        source=value,
    )
    fields.text("source", longest=1000)
    if "body" not in value and "bodies" not in value:
        fields.wrong("body", "is required, unless `bodies` has one for every event")
    _check_bodies(fields, contract)
    _check_headers(fields, contract)
    errors = [*(_placed(error, value) for error in fields.finish()), *reader.errors]
    if errors:
        raise invalid(errors)
    return contract


def _placed(error: FieldError, value: Json) -> FieldError:
    """The error with its pointer: a member that is there may have a dot in its name."""
    if error.pointer is not None:
        return error
    place, rest = Place("", ""), error.field
    while True:
        names = value if isinstance(value, dict) else {}
        there = [name for name in names if rest == name or rest.startswith(f"{name}.")]
        step = max(there, key=len, default=rest.partition(".")[0])
        place, value = place.inside(step), names.get(step)
        if step == rest:
            return FieldError(error.field, error.detail, place.pointer)
        rest = rest[len(step) + 1 :]


def _absent(fields: Fields) -> Absent:
    return Absent(_choice(fields, "absent", [*Absent]))


def _version(fields: Fields, given: str | None) -> str:
    form = "small letters, digits, dots and hyphens"
    read = fields.required_text if given is None else fields.text
    own = read("version", longest=16, pattern=_VERSION, form=form)
    return given or own or ""


def _events(fields: Fields, reader: TemplateReader) -> dict[str, Said]:
    given = fields.required_object("events")
    if not 1 <= len(given) <= MOST_EVENTS:
        fields.wrong("events", f"must name 1 to {MOST_EVENTS} types")
    found: dict[str, Said] = {}
    for key, said in given.items():
        place = Place("events", "/events").inside(key)
        if wrong := _check_type(key):
            reader.wrong(place, wrong)
        words = said if isinstance(said, dict) else {"name": said}
        name = words.get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= 200:
            reader.wrong(place, "must be a name of 1 to 200 characters, or an object with one")
            continue
        found[key] = Said(name, {one: word for one, word in words.items() if one != "name"})
    return found


def _check_type(key: str) -> str | None:
    if key == ANY or is_event_type(key) or key == f"{CUSTOM}{ANY}":
        return None
    group, dot, last = key.rpartition(".")
    if dot and last == ANY and any(one.startswith(f"{group}.") for one in event_types()):
        return None
    return "is no event type, no group of them such as points.*, and not *"


def _body(fields: Fields, reader: TemplateReader, value: dict[str, Json]) -> Template | None:
    template = fields.value("body")
    return reader.read(template, Place("body", "/body")) if "body" in value else None


def _bodies(fields: Fields, reader: TemplateReader) -> list[tuple[frozenset[str], Template]]:
    given = fields.values("bodies", MOST_BODIES) or []
    found: list[tuple[frozenset[str], Template]] = []
    for position, item in enumerate(given):
        place = Place("bodies", "/bodies").inside(position)
        types = item.get("for") if isinstance(item, dict) else None
        if not isinstance(item, dict) or {*item} != {"for", "body"}:
            reader.wrong(place, "must be an object of `for`, a list of types, and `body`")
        elif not isinstance(types, list) or not types:
            reader.wrong(place.inside("for"), "must be a list of event types")
        else:
            names = [str(one) for one in types]
            for number, name in enumerate(names):
                if wrong := _check_type(name):
                    reader.wrong(place.inside("for").inside(number), wrong)
            found.append((frozenset(names), reader.read(item["body"], place.inside("body"))))
    return found


def _check_bodies(fields: Fields, contract: Contract) -> None:
    for key in contract.events:
        if contract.body is None and contract.body_of(key) is None:
            fields.wrong("bodies", f"has none for {key}, and there is no `body` for all")


def _batch(fields: Fields, reader: TemplateReader) -> Batch | None:
    given = fields.object("batch")
    if given is None:
        return None
    inner = Fields(given, "batch.")
    template = inner.value("body")
    batch = Batch(
        largest=inner.integer("largest", 1, LARGEST_BATCH) or LARGEST_BATCH,
        body=reader.read(
            "=events" if template is None else template, Place("batch.body", "/batch/body")
        ),
        always=inner.flag("always") or False,
        content_type=_content_type(inner, _content_type(fields)),
    )
    fields.errors += inner.finish()
    return batch


def _headers(fields: Fields, reader: TemplateReader) -> dict[str, Template]:
    given = fields.object("headers") or {}
    if len(given) > MOST_HEADERS:
        fields.wrong("headers", f"must be at most {MOST_HEADERS}")
    found: dict[str, Template] = {}
    for name, template in given.items():
        place = Place("headers", "/headers").inside(name)
        if name.lower() in found:
            reader.wrong(place, "is there twice")
        known = name.lower() in OF_STANDARD_WEBHOOKS
        if wrong := None if known else check_header_name(name, signs=True):
            reader.wrong(place, wrong)
        if not isinstance(template, str):
            reader.wrong(place, "must be a text or an expression")
        found[name.lower()] = reader.read(template, place)
    return found


def _check_headers(fields: Fields, contract: Contract) -> None:
    names = [*contract.headers]
    if contract.signature is not None:
        names.append(contract.signature.header)
    if len({*map(folded, names)}) < len(names):
        fields.wrong("headers", "has a name twice, or that of the signature")


def _content_type(fields: Fields, default: str = "application/json") -> str:
    given = fields.text("content_type", longest=80, pattern=_CONTENT_TYPE, form=_CONTENT_TYPE_FORM)
    return given or default


def _signature(fields: Fields) -> Recipe | None:
    given = fields.object("signature")
    if given is None:
        return None
    inner = Fields(given, "signature.")
    recipe = read_recipe(given, inner)
    fields.errors += inner.finish()
    return recipe


def _success(fields: Fields) -> frozenset[int]:
    given = fields.values("success", 100)
    if given is None:
        return frozenset(_SUCCESSES)
    statuses: set[int] = set()
    for item in given:
        if item == "2xx":
            statuses.update(_SUCCESSES)
        elif isinstance(item, int) and not isinstance(item, bool) and 200 <= item <= 499:
            statuses.add(item)
        else:
            fields.wrong("success", "must be a list of statuses from 200 to 499, or of 2xx")
            return frozenset(_SUCCESSES)
    if not statuses:
        fields.wrong("success", "must name a status")
    return frozenset(statuses)


def _settings(fields: Fields) -> dict[str, Setting]:
    given = fields.object("settings") or {}
    headers = fields.value("headers")
    written = [str(one) for one in headers.values()] if isinstance(headers, dict) else []
    if len(given) > MOST_SETTINGS:
        fields.wrong("settings", f"must be at most {MOST_SETTINGS}")
    found: dict[str, Setting] = {}
    for name, value in given.items():
        if not _SETTING.fullmatch(name) or not isinstance(value, dict):
            fields.wrong(f"settings.{name}", "must be an object, its name of letters, digits and _")
            continue
        inner = Fields(value, f"settings.{name}.")
        setting = Setting(
            title=inner.text("title", longest=120) or name,
            default=inner.text("default"),
            choices=inner.texts("choices", most=MOST_CHOICES) or (),
            in_header=any(f"settings.{name}" in template for template in written),
        )
        for text in (setting.default, *setting.choices):
            if text and setting.in_header and not SENDABLE.fullmatch(text):
                inner.wrong("default", IN_HEADER_FORM)
        if setting.choices and setting.default not in setting.choices:
            inner.wrong("default", f"must be {one_of(setting.choices)}")
        found[name] = setting
        fields.errors += inner.finish()
    return found


def _choice(fields: Fields, name: str, choices: Sequence[str]) -> str:
    chosen = fields.text(name) or choices[0]
    if chosen in choices:
        return chosen
    fields.wrong(name, f"must be {one_of(choices)}")
    return choices[0]
