"""The local system with IAM enforced: `python -m tests.e2e.enforcing`, as `python -m infra.local`.

Each function is refused what its role does not allow, conditions included. The emulator itself
refuses nothing; who starts and watches the system stays the owner of the AWS account.
"""

import os
import sys
from pathlib import Path
from unittest.mock import patch

from infra.local.__main__ import main
from infra.local.emulator import ROOT, Emulator
from tests.iam.in_function import FOLDER, environment

_environment = Emulator._environment


def _enforcing(self: Emulator) -> dict[str, str]:
    return {**_environment(self), **environment(ROOT, Path(os.environ[FOLDER]))}


if __name__ == "__main__":
    with patch.object(Emulator, "_environment", _enforcing):
        sys.exit(main())
