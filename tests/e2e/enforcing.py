"""The local system with IAM enforced: `python -m tests.e2e.enforcing`, as `python -m infra.local`.

The emulator then refuses what a function's role does not allow. Who starts and watches the system
stays the owner of the AWS account, whom nothing is refused.
"""

import sys
from unittest.mock import patch

from infra.local.__main__ import main
from infra.local.emulator import Emulator

_environment = Emulator._environment


def _enforcing(self: Emulator) -> dict[str, str]:
    return {
        **_environment(self),
        "AUTH": "true",
        # The owner's, as `infra.local.emulator.client` has them.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


if __name__ == "__main__":
    with patch.object(Emulator, "_environment", _enforcing):
        sys.exit(main())
