"""Build, package and deploy: the same template that `sam deploy` takes, nested stack included."""

import uuid
import zipfile
from pathlib import Path

import pytest

from infra.local import stack
from infra.local.emulator import Emulator


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def name() -> str:
    return f"stack-{uuid.uuid4().hex[:8]}"


def interval(emulator: Emulator, url: str) -> str:
    attributes = emulator.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["VisibilityTimeout"]
    )
    return str(attributes["Attributes"]["VisibilityTimeout"])


def answer(emulator: Emulator, function: str) -> bytes:
    answer = emulator.client("lambda").invoke(FunctionName=function)["Payload"].read()
    assert isinstance(answer, bytes)
    return answer


def test_stack_is_created_updated_and_left_alone(
    project: Path, work: Path, emulator: Emulator, name: str
) -> None:
    assert stack.build(project, work)
    outputs = stack.deploy(work, emulator.url, name, {"Unknown": "ignored"})
    assert outputs["NestedQueueName"] == outputs["QueueName"]
    assert interval(emulator, outputs["QueueUrl"]) == "30"
    assert answer(emulator, outputs["FunctionName"]) == b"1"

    assert not stack.build(project, work)
    assert stack.deploy(work, emulator.url, name, {}) == outputs
    assert stack.deploy(work, emulator.url, name, {"Interval": "40"}) == outputs
    assert interval(emulator, outputs["QueueUrl"]) == "40"

    function = project / "functions" / "app.py"
    function.write_text(function.read_text().replace("return 1", "return 2"))
    assert stack.build(project, work)
    assert stack.deploy(work, emulator.url, name, {"Interval": "40"}) == outputs
    assert answer(emulator, outputs["FunctionName"]) == b"2"


def test_bytecode_is_that_of_the_cloud_checked_by_content(project: Path, work: Path) -> None:
    stack.build(project, work)
    (package,) = (work / "package").glob("*.zip")
    with zipfile.ZipFile(package) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".pyc")]
        bytecode = archive.read(name)
    # PEP 552: after the magic number come the flags, by content (1) and checked (2).
    assert int.from_bytes(bytecode[4:8], "little") == 0b11
    assert b"/var/task/app.py" in bytecode


def test_code_that_does_not_compile_is_told_at_the_build(project: Path, work: Path) -> None:
    (project / "functions" / "app.py").write_text("def handler(\n")
    with pytest.raises(stack.StackError, match=r"^some of the code does not compile, see above$"):
        stack.build(project, work)


def test_every_source_asks_for_a_new_build(project: Path, work: Path) -> None:
    stack.build(project, work)
    for changed in ("template.yaml", "infra/nested.yaml", "functions/new.py"):
        with (project / changed).open("a") as source:
            source.write("\n# changed\n")
        assert stack.build(project, work), changed


def test_broken_build_is_one_line_with_the_reason(project: Path, work: Path) -> None:
    (project / "functions" / "requirements.txt").write_text("no-such-package @ file:///missing\n")
    with pytest.raises(stack.StackError, match=r"^sam build failed: .*PythonPipBuilder") as failed:
        stack.build(project, work)
    assert "\n" not in str(failed.value)
    with pytest.raises(stack.StackError):
        stack.build(project, work)


def test_missing_template_is_one_line(work: Path, tmp_path: Path) -> None:
    with pytest.raises(stack.StackError, match=r"^template\.yaml: no such file$"):
        stack.build(tmp_path, work)


def test_failed_deployment_is_one_line_with_the_reason_and_can_be_mended(
    project: Path, work: Path, emulator: Emulator, name: str
) -> None:
    stack.build(project, work)
    with pytest.raises(stack.StackError, match=r"Queue: .*VisibilityTimeout") as failed:
        stack.deploy(work, emulator.url, name, {"Interval": "99999"})
    assert "\n" not in str(failed.value)
    assert "QueueUrl" in stack.deploy(work, emulator.url, name, {"Interval": "50"})
