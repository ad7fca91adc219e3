"""The packages of the functions, as Lambda gets them: what is pinned, less what nobody here calls.

    python install.py FOLDER

The same bytes come of it on every machine: wheels for Lambda's processor, no bytecode, no scripts,
no notes of pip's. Of botocore's data there are the services of SERVICES: a client of another cannot
be made, and what a function opens at its start is short (docs/adr/0013).
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

SERVICES = ("cloudwatch", "dynamodb", "events", "kms", "lambda", "ses", "sns", "sqs")
"""The AWS services that the functions call, as botocore names them."""

_PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64")
UNUSED = (
    "bin",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui",
    "boto3/data",
    "boto3/examples",
)
"""What comes with the packages, beside botocore's data, and no function imports or reads."""
_NOTES = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")


def main() -> int:
    """Install and prune; the exit status is pip's."""
    folder = Path(sys.argv[1])
    requirements = Path(__file__).with_name("requirements.txt")
    installed = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--no-compile", "--only-binary=:all:"),
            *("--implementation", "cp", "--python-version", "3.13"),
            *(f"--platform={platform}" for platform in _PLATFORMS),
            *("--requirement", str(requirements), "--target", str(folder)),
        ],
        check=False,
    )
    if installed.returncode == 0:
        prune(folder)
    return installed.returncode


def prune(folder: Path) -> None:
    """Take out what no function calls, and what differs from machine to machine."""
    for name in UNUSED:
        shutil.rmtree(folder / name, ignore_errors=True)
    for notes in folder.glob("*.dist-info"):
        for name in _NOTES:
            (notes / name).unlink(missing_ok=True)
    data = folder / "botocore" / "data"
    for service in data.iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    endpoints = data / "endpoints.json"
    endpoints.write_text(_endpoints_of_services(endpoints.read_text(encoding="utf-8")))


def _endpoints_of_services(text: str) -> str:
    """Where each of the services is, in every partition and region."""
    known = json.loads(text)
    for partition in known["partitions"]:
        partition["services"] = {
            # CloudWatch has another name there, as its host has.
            name: found
            for name, found in partition["services"].items()
            if name in (*SERVICES, "monitoring")
        }
    return json.dumps(known, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main())
