"""The processes of a function share one unpacked copy of its code.

A Lambda execution environment starts from a prepared image. The emulator unpacks the whole archive
again for each process, where Python finds no bytecode and compiles every package anew: seconds for
each cold start, and a copy of everything on disk. The copies stand in `CODE_DIR`, one for each
content, and keep their bytecode.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from infra.local.patches import upstream


def apply() -> None:
    """Unpack an archive once; give every later process a link to that copy."""
    from ministack.core import lambda_runtime

    upstream.replace(
        lambda_runtime,
        "zipfile",
        SimpleNamespace(**{**vars(zipfile), "ZipFile": _SharedArchive}),
    )


class _SharedArchive(zipfile.ZipFile):
    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:  # noqa: ANN401
        """Make `path`, an empty folder, a link to the shared copy of this archive's content."""
        target = Path(path)
        target.rmdir()
        target.symlink_to(self._shared_copy(), target_is_directory=True)

    def _shared_copy(self) -> Path:
        copies = Path(os.environ["CODE_DIR"])
        copies.mkdir(parents=True, exist_ok=True)
        with Path(str(self.filename)).open("rb") as archive:
            copy = copies / hashlib.file_digest(archive, "sha256").hexdigest()
        if not copy.exists():
            unpacked = Path(tempfile.mkdtemp(dir=copies))
            super().extractall(unpacked)
            try:
                unpacked.rename(copy)
            except OSError:
                # Another process of the function was faster.
                shutil.rmtree(unpacked)
        copy.touch()
        return copy
