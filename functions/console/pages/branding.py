"""The platform's own name, colour and logo: an operator's page."""

from collections.abc import Sequence

from console.http.form import Form
from console.http.registry import Needs, Pages
from console.http.visit import HtmlResponse, Visit
from console.views.form_versions import (
    READ,
    VERSION,
    Difference,
    changed_meanwhile,
    differences,
    digests,
    merged,
)
from perkwire.adapters.wiring import UseCases
from perkwire.model.brand import Brand
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.settings.console import ConsoleSettings

_PATH = "/console/brand"


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the pages."""
    branding = use_cases.branding
    pages.done["brand-changed"] = "It is changed. Every page shows it within a minute."

    def brand_page(
        visit: Visit,
        brand: Brand,
        form: Form,
        problem: Problem | None = None,
        undone: Sequence[Difference] = (),
    ) -> HtmlResponse:
        return visit.page("brand.html", problem=problem, form=form, stored=brand, undone=undone)

    @pages.page(_PATH, Needs.OPERATOR)
    def show(visit: Visit) -> HtmlResponse:
        brand = branding.get(visit.caller)
        return brand_page(visit, brand, _filled(brand))

    @pages.form(_PATH, Needs.OPERATOR)
    def change(visit: Visit) -> HtmlResponse:
        brand = branding.get(visit.caller)
        mine, fresh = _fields(visit.form), _filled(brand)
        if brand.version not in visit.read_version and (
            undone := differences(visit.form, mine, _fields(fresh))
        ):
            both = merged(visit.form, fresh, undone)
            return brand_page(visit, brand, both, changed_meanwhile("brand"), undone)
        wanted: dict[str, Json] = {name: value for name, value in mine.items() if value}
        try:
            branding.set(visit.caller, wanted, {brand.version})
        except Problem as problem:
            return brand_page(visit, brand, visit.form, problem)
        return visit.go(_PATH, done="brand-changed")


def _filled(brand: Brand) -> Form:
    """The form as the brand is stored, and what of it was read."""
    fields = {
        "name": [brand.name],
        "colour": [brand.colour or ""],
        "logo": [brand.logo.data_url if brand.logo else ""],
    }
    read = digests(_fields(Form(fields)))
    return Form({**fields, VERSION: [str(brand.version)], READ: [read]})


def _fields(form: Form) -> dict[str, Json]:
    return {
        "name": form.text("name"),
        "colour": form.text("colour"),
        "logo": "".join(form.text("logo").split()),
    }
