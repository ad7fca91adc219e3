"""What Node makes of JSON: one process of it for as many texts as there are."""

import subprocess
from types import TracebackType
from typing import Self

from tests.tools import node

_PROGRAM = """
let rest = Buffer.alloc(0);
process.stdin.on("data", (chunk) => {
  rest = Buffer.concat([rest, chunk]);
  for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
    process.stdout.write(JSON.stringify(JSON.parse(rest.subarray(0, end).toString())) + "\\n");
    rest = rest.subarray(end + 1);
  }
});
"""


class JavaScript:
    """A Node that answers each line of JSON with what it reads in it, written again."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [node(), "--eval", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=10)

    def restringified(self, text: bytes) -> bytes:
        """`JSON.stringify(JSON.parse(text))`. The text is on one line."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(text + b"\n")
        stdin.flush()
        return stdout.readline().removesuffix(b"\n")
