"""Our `dataclass` beside the standard library's, which is its judge."""

import ast
import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import perkwire
from perkwire.primitives.dataclass import dataclass

FUNCTIONS = Path(perkwire.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Place:
    """With a default, and members that neither show nor compare."""

    city: str
    street: str | None = None
    secret: str = dataclasses.field(default="s", repr=False)
    cached: int = dataclasses.field(default=0, compare=False)

    def twice(self) -> str:
        """Something of its own."""
        return self.city * 2


@dataclass(frozen=True, slots=True)
class Home(Place):
    """With a member more than its base."""

    floor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """By names alone, one without a default after one with."""

    shown: bool = True
    name: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Without members."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """With a `repr` of its own."""

    key: bytes

    def __repr__(self) -> str:
        return "Hidden(…)"


def by_the_standard_library(cls: type[Any]) -> type[Any]:
    """A class of the same text."""
    text = inspect.getsource(cls)
    names: dict[str, Any] = {
        "dataclass": dataclasses.dataclass,
        "dataclasses": dataclasses,
        "Place": Place if cls is not Home else by_the_standard_library(Place),
        "__name__": __name__,
    }
    exec(text, names)  # noqa: S102 - of this file
    return names[cls.__name__]  # type: ignore[no-any-return]


CASES: list[tuple[type[Any], Callable[[type[Any]], list[Any]]]] = [
    (
        Place,
        lambda cls: [
            cls("x"),
            cls("x", None, "other"),
            cls("x", cached=5),
            cls(street="y", city="x"),
            cls("z", "y", "s", 1),
        ],
    ),
    (Home, lambda cls: [cls("x"), cls("x", floor=2), cls("x", None, "s", 0, 2)]),
    (Named, lambda cls: [cls(name="a"), cls(name="a", shown=False)]),
    (Nothing, lambda cls: [cls(), cls()]),
    (Hidden, lambda cls: [cls(b"a"), cls(key=b"b")]),
]
IDS = [cls.__name__ for cls, _ in CASES]


@pytest.fixture(params=CASES, ids=IDS)
def both(request: pytest.FixtureRequest) -> tuple[list[Any], list[Any]]:
    """The same values of our class and of the standard library's."""
    cls, values = request.param
    return values(cls), values(by_the_standard_library(cls))


def test_values_show_compare_and_hash_alike(both: tuple[list[Any], list[Any]]) -> None:
    ours, theirs = both

    assert [repr(value) for value in ours] == [repr(value) for value in theirs]
    for one, its in zip(ours, theirs, strict=True):
        assert [one == other for other in ours] == [its == other for other in theirs]
        assert [hash(one) == hash(other) for other in ours] == [
            hash(its) == hash(other) for other in theirs
        ]
        assert one != its
        assert dataclasses.asdict(one) == dataclasses.asdict(its)


def test_classes_say_the_same_of_themselves(both: tuple[list[Any], list[Any]]) -> None:
    ours, theirs = type(both[0][0]), type(both[1][0])

    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert ours.__doc__ == theirs.__doc__
    assert not hasattr(both[0][0], "__dict__")
    for one, its in zip(dataclasses.fields(ours), dataclasses.fields(theirs), strict=True):
        assert [getattr(one, name) for name in one.__slots__] == [
            getattr(its, name) for name in one.__slots__
        ]
    assert [(one.name, one.kind, one.default) for one in parameters(ours)] == [
        (one.name, one.kind, one.default) for one in parameters(theirs)
    ]


def parameters(cls: type[Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(cls).parameters.values())


def test_copies_are_equal(both: tuple[list[Any], list[Any]]) -> None:
    for value in both[0]:
        members = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        for made in (
            copy.copy(value),
            copy.deepcopy(value),
            pickle.loads(pickle.dumps(value)),  # noqa: S301 - just made
            dataclasses.replace(value),
            copy.replace(value, **members),
        ):
            assert made == value
            assert repr(made) == repr(value)


def test_a_change_is_refused(both: tuple[list[Any], list[Any]]) -> None:
    for value in both[0]:
        for name in [field.name for field in dataclasses.fields(value)] or ["other"]:
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(value, name, 1)
            with pytest.raises(dataclasses.FrozenInstanceError):
                delattr(value, name)


def untyped(cls: type[Any]) -> Callable[..., object]:
    """A class that may be called wrongly."""
    return cls


def test_one_member_is_replaced_and_own_methods_stay() -> None:
    assert dataclasses.replace(Place("a", "b"), city="c") == Place("c", "b")
    assert Place("a").twice() == "aa"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: untyped(Place)(),
            "Place.__init__() missing 1 required positional argument: 'city'",
        ),
        (lambda: untyped(Named)(shown=True), "missing 1 required keyword-only argument: 'name'"),
        (lambda: untyped(Named)(True, "a"), "takes 1 positional argument but 3 were given"),
        (lambda: untyped(Nothing)(1), "takes 1 positional argument but 2 were given"),
        (lambda: untyped(Place)("a", other=1), "got an unexpected keyword argument 'other'"),
    ],
)
def test_a_wrong_call_is_told_by_the_members_names(call: Callable[[], object], says: str) -> None:
    with pytest.raises(TypeError) as raised:
        call()

    assert says in str(raised.value)


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(TypeError, match="needs the standard library's"):

        @dataclass(frozen=True, slots=True)
        class _Made:
            members: list[str] = dataclasses.field(default_factory=list)

    with pytest.raises(TypeError, match="needs the standard library's"):

        @dataclass(frozen=True, slots=True)
        class _Checked:
            def __post_init__(self) -> None: ...


def of_the_standard_library() -> Iterator[str]:
    for path in FUNCTIONS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.ImportFrom(module="dataclasses", names=names):
                    if "dataclass" in {alias.name for alias in names}:
                        yield str(path.relative_to(FUNCTIONS))
                case ast.Attribute(value=ast.Name(id="dataclasses"), attr="dataclass"):
                    yield str(path.relative_to(FUNCTIONS))


def test_the_functions_use_no_other() -> None:
    assert set(of_the_standard_library()) == {"perkwire/primitives/dataclass.py"}
