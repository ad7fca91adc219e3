"""Regular expressions that are compiled at their first use.

Compiling one takes half a millisecond of CPU, and a cold start would pay for dozens of which a
function uses a few. Those that a first event is sure to use are compiled by `re.compile` as their
modules are imported, while Lambda gives a whole CPU.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:

    def regex[Text: (bytes, str)](text: Text, flags: int = 0) -> re.Pattern[Text]:
        """What `re.compile` makes of this."""
        ...

else:
    _METHODS = ("fullmatch", "match", "search", "sub", "split", "finditer", "findall")

    class regex:  # noqa: N801 - called as a function, see above
        """What `re.compile` makes of a text, once it is asked for something."""

        def __init__(self, text: str | bytes, flags: int = 0) -> None:
            self.pattern = text
            self._flags = flags

        def __getattr__(self, name: str) -> Callable[..., Any]:
            if name not in _METHODS:
                raise AttributeError(name)
            compiled = re.compile(self.pattern, self._flags)
            for method in _METHODS:
                setattr(self, method, getattr(compiled, method))
            return getattr(self, name)
