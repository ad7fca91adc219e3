"""Builds, packages and deploys the same template.yaml that goes to AWS, onto the emulator."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from infra.build import compile_code
from infra.local.emulator import client

_BUCKET = "artifacts"
_FINGERPRINT = "fingerprint"
_PACKAGE = "package"
_TEMPLATE = "template.json"
# Stands in a package for the emulator's address, which is known when the package is deployed.
_ENDPOINT = "http://emulator.invalid"
_BUILD_SECONDS = 600
_DEPLOY_SECONDS = 300

# The property of each resource type that names a local folder or template until it is packaged.
_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
_TEMPLATES = {
    "AWS::Serverless::Application": "Location",
    "AWS::CloudFormation::Stack": "TemplateURL",
}


type Outputs = dict[str, str]


class StackError(RuntimeError):
    """The stack cannot be built or deployed; the message is one line with the reason."""


def read_template(path: Path) -> dict[str, Any]:
    """Return a template with its intrinsic functions in their long form."""
    try:
        return cast(dict[str, Any], yaml_parse(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise StackError(f"{path.name}: {error.strerror}") from None


def build(root: Path, work: Path) -> bool:
    """Build and package the project at `root`, unless nothing has changed since the last time.

    The build stands in `work`, apart from the one that `sam build` makes for the cloud. Return
    whether there was anything to build. Raise `StackError` with SAM's own reason when it fails.
    """
    work.mkdir(parents=True, exist_ok=True)
    # One build at a time: systems on other ports share it.
    with (work / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _build(root, work)


def _build(root: Path, work: Path) -> bool:
    fingerprint = _fingerprint(root)
    mark = work / _FINGERPRINT
    if mark.exists() and mark.read_text() == fingerprint:
        return False
    mark.unlink(missing_ok=True)
    programs = Path(sys.executable).parent
    sam = programs / "sam"
    if not sam.exists():
        raise StackError(f"no SAM CLI beside {sys.executable}: run `make setup`")
    command: list[str | Path] = [
        sam,
        "build",
        "--cached",
        "--template-file",
        root / "template.yaml",
        "--build-dir",
        work / "build",
        "--cache-dir",
        work / "cache",
    ]
    finished = subprocess.run(
        command,
        cwd=root,
        # SAM looks for the functions' interpreter on the path.
        env={
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=_BUILD_SECONDS,
    )
    if finished.returncode != 0:
        raise StackError(f"sam build failed: {_reason(finished.stderr + finished.stdout)}")
    package = work / _PACKAGE
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir()
    template = _Package(package).template(work / "build" / "template.yaml")
    (package / _TEMPLATE).write_text(template)
    mark.write_text(fingerprint)
    return True


def deploy(work: Path, endpoint_url: str, name: str, parameters: Mapping[str, str]) -> Outputs:
    """Create or update the stack from the package in `work`, wait, and return its outputs.

    Raise `StackError` with CloudFormation's reason when the stack does not come about.
    """
    package = work / _PACKAGE
    _upload(package, endpoint_url)
    declared = json.loads((package / _TEMPLATE).read_text()).get("Parameters", {})
    request = {
        "StackName": name,
        # Not in the request: there a template may have 51,200 bytes, and this one is as long.
        "TemplateURL": f"{endpoint_url}/{_BUCKET}/{_TEMPLATE}",
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in parameters.items()
            if key in declared
        ],
    }
    cloudformation = client("cloudformation", endpoint_url)
    try:
        if _exists(cloudformation, name):
            cloudformation.update_stack(**request)
        else:
            cloudformation.create_stack(**request)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" not in message:
            raise StackError(f"the stack was refused: {message}") from None
    return _outputs(cloudformation, name)


class _Package:
    """A built template and all that it refers to, as files whose names are their contents'."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def template(self, path: Path) -> str:
        """Return a built template whose local paths are packaged and replaced."""
        template = read_template(path)
        for resource in template.get("Resources", {}).values():
            properties = resource.get("Properties", {})
            if (code := _CODE.get(resource["Type"])) and _is_path(properties.get(code)):
                folder = (path.parent / properties[code]).resolve()
                properties[code] = f"s3://{_BUCKET}/{self._archive(folder)}"
            if (nested := _TEMPLATES.get(resource["Type"])) and _is_path(properties.get(nested)):
                child = self.template(path.parent / properties[nested]).encode()
                properties[nested] = f"{_ENDPOINT}/{_BUCKET}/{self._keep(child, '.json')}"
        return json.dumps(template, default=str)

    def _archive(self, folder: Path) -> str:
        sources = list(_files(folder))
        archive = self._folder / f"{_digest(folder, sources)}.zip"
        if not archive.exists():
            # A function's first process would be slower than a short retry interval.
            if not compile_code(folder):
                raise StackError("some of the code does not compile, see above")
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as content:
                for file in folder.rglob("*"):
                    content.write(file, file.relative_to(folder))
        return archive.name

    def _keep(self, content: bytes, suffix: str) -> str:
        name = hashlib.sha256(content).hexdigest() + suffix
        (self._folder / name).write_bytes(content)
        return name


def _upload(package: Path, endpoint_url: str) -> None:
    s3 = client("s3", endpoint_url)
    s3.create_bucket(Bucket=_BUCKET)
    for file in package.iterdir():
        content = file.read_bytes()
        if file.suffix == ".json":
            content = content.replace(_ENDPOINT.encode(), endpoint_url.encode())
        s3.put_object(Bucket=_BUCKET, Key=file.name, Body=content)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and "://" not in value


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _fingerprint(root: Path) -> str:
    sources = [root / "template.yaml", *sorted((root / "infra").glob("*.yaml"))]
    for path in sources:
        if not path.exists():
            raise StackError(f"{path.name}: no such file")
    return _digest(root, [*sources, *_files(root / "functions"), *_files(root / "packages")])


def _digest(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    return (errors or lines or ["it said nothing"])[-1]


def _exists(cloudformation: Any, name: str) -> bool:  # noqa: ANN401
    try:
        status = _describe(cloudformation, name)["StackStatus"]
    except ClientError:
        return False
    if status in ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
        # A stack that never came about can only be deleted, on AWS too.
        cloudformation.delete_stack(StackName=name)
        _wait(cloudformation, name)
        return False
    return bool(status != "DELETE_COMPLETE")


def _describe(cloudformation: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    return cast(dict[str, Any], cloudformation.describe_stacks(StackName=name)["Stacks"][0])


def _wait(cloudformation: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    deadline = time.monotonic() + _DEPLOY_SECONDS
    while time.monotonic() < deadline:
        try:
            stack = _describe(cloudformation, name)
        except ClientError:
            return {"StackStatus": "DELETE_COMPLETE"}
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            return stack
        time.sleep(0.05)
    raise StackError(f"the stack was not ready within {_DEPLOY_SECONDS} s")


def _outputs(cloudformation: Any, name: str) -> Outputs:  # noqa: ANN401
    stack = _wait(cloudformation, name)
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise StackError(f"{stack['StackStatus']}: {_failure(cloudformation, name, stack)}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _failure(cloudformation: Any, name: str, stack: Mapping[str, Any]) -> str:  # noqa: ANN401
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
        and event["LogicalResourceId"] != name
        and event.get("ResourceStatusReason")
    ]
    # Newest first: the oldest failure is the cause, the others follow from it.
    return failed[-1] if failed else stack.get("StackStatusReason", "no reason given")
