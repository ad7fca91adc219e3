"""The standard library's `dataclass`, for frozen ones with slots, at a tenth of its import time.

The standard library writes the text of seven methods for each class and compiles it, 0.7 ms of CPU
that every cold start pays a hundred times over. Here they are closures, whose code is compiled once
for all classes, that of `__init__` once for each number of fields. What a class can do is the same;
tests/unit/primitives/test_dataclass.py compares the two.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        *, frozen: Literal[True], slots: Literal[True], kw_only: bool = False
    ) -> Callable[[type], type]:
        """Of the standard library's options those that are asked for here; no `default_factory`."""
        return lambda cls: _made(cls, kw_only=kw_only)


def _made(cls: type, *, kw_only: bool) -> type:
    fields_alone = dataclasses.dataclass(
        init=False, repr=False, eq=False, slots=True, kw_only=kw_only
    )
    made: type = fields_alone(cls)
    fields = dataclasses.fields(made)
    methods = {
        "__init__": _init(made, fields),
        "__repr__": _repr([field.name for field in fields if field.repr]),
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__getstate__": _getstate,
        "__setstate__": _setstate,
        **_comparison([field.name for field in fields if field.compare]),
    }
    for name, method in methods.items():
        if name not in vars(cls):
            setattr(made, name, method)
    return made


def _init(made: type, fields: Sequence[dataclasses.Field[Any]]) -> Callable[..., None]:
    names = tuple(field.name for field in fields)
    kw_only = any(field.kw_only for field in fields)
    if hasattr(made, "__post_init__") or not all(
        field.init and field.kw_only == kw_only and field.default_factory is dataclasses.MISSING
        for field in fields
    ):
        raise TypeError(f"{made.__name__} needs the standard library's dataclass")
    init: Any = _init_of(len(names), kw_only)(*(getattr(made, name).__set__ for name in names))
    init.__code__ = init.__code__.replace(co_varnames=("self", *names))
    init.__qualname__ = f"{made.__qualname__}.__init__"
    defaults = {
        field.name: field.default for field in fields if field.default is not dataclasses.MISSING
    }
    if kw_only:
        init.__kwdefaults__ = defaults
    else:
        init.__defaults__ = tuple(defaults.values())
    return init  # type: ignore[no-any-return]


@cache
def _init_of(count: int, kw_only: bool) -> Callable[..., Callable[..., None]]:
    """What makes an `__init__` of so many fields, given what sets each."""
    sets = ", ".join(f"set{position}" for position in range(count))
    names = "".join(f", field{position}" for position in range(count))
    body = "; ".join(f"set{position}(self, field{position})" for position in range(count))
    star = ", *" if kw_only and count else ""
    init = f"def __init__(self{star}{names}): {body or 'pass'}"
    text = f"def make({sets}):\n {init}\n return __init__"
    made: dict[str, Any] = {}
    exec(text, {}, made)  # noqa: S102 - nothing in it comes from outside
    return made["make"]  # type: ignore[no-any-return]


def _repr(names: Iterable[str]) -> Callable[[object], str]:
    def shown(self: object) -> str:
        members = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({members})"

    return shown


def _comparison(names: Sequence[str]) -> dict[str, Callable[..., Any]]:
    compared: Callable[[object], object] = attrgetter(*names) if names else lambda _: ()

    def equal(self: object, other: object) -> object:
        if self is other:
            return True
        if other.__class__ is not self.__class__:
            return NotImplemented
        return compared(self) == compared(other)

    def hashed(self: object) -> int:
        return hash(compared(self))

    return {"__eq__": equal, "__hash__": hashed}


def _refuse_to_set(_: object, name: str, _value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[object]:  # noqa: ANN401 - any dataclass
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _setstate(self: Any, state: Iterable[object]) -> None:  # noqa: ANN401 - any dataclass
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
