"""What is deployed is small: what a function loads from it is part of every cold start."""

import zipfile

from infra.local import runs
from packages.install import SERVICES
from tests.e2e.system import LocalSystem

MOST_BYTES = 24_000_000


def test_what_is_deployed_has_the_data_of_the_services_that_are_called_and_is_small(
    system: LocalSystem,
) -> None:
    files = {
        file.filename: file.file_size
        for archive in (runs.WORK / "package").glob("*.zip")
        for file in zipfile.ZipFile(archive).infolist()
        if not file.filename.endswith((".pyc", "/"))
    }

    data = "python/botocore/data/"
    services = {
        name.removeprefix(data).partition("/")[0]
        for name in files
        if name.startswith(data) and "/" in name.removeprefix(data)
    }
    assert services == set(SERVICES)
    assert sum(files.values()) <= MOST_BYTES
