"""Several systems in one folder: who may start, what is announced, what may be forgotten."""

import shutil
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.local import demo, runs
from infra.local.emulator import ROOT


def a_system(port: int) -> Mapping[str, str]:
    return {"api_url": f"http://127.0.0.1:{port}", "operator_key": f"of {port}"}


def started(work: Path, port: int) -> ExitStack:
    """A run at a port, which ends with the stack."""
    run = ExitStack()
    run.enter_context(runs.only_run(work / str(port)))
    run.enter_context(runs.announced(work, a_system(port)))
    return run


def test_of_two_runs_at_a_port_the_second_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "4566"
    runs.refuse_second(home)
    with runs.only_run(home):
        for refusing in (lambda: runs.refuse_second(home), lambda: started(tmp_path, 4566)):
            with pytest.raises(runs.RunError, match=r"^another `make run` is using .*4566: stop"):
                refusing()
    with runs.only_run(home):
        pass


def test_the_latest_run_is_announced_and_then_the_one_before_it(tmp_path: Path) -> None:
    with started(tmp_path, 4566):
        with started(tmp_path, 4570):
            assert runs.addresses(tmp_path) == a_system(4570)
        assert runs.addresses(tmp_path) == a_system(4566)
    assert not (tmp_path / "local.json").exists()


def test_a_run_that_stops_first_leaves_the_announcement_to_the_other(tmp_path: Path) -> None:
    first = started(tmp_path, 4566)
    with started(tmp_path, 4570):
        first.close()
        assert runs.addresses(tmp_path) == a_system(4570)
    assert not (tmp_path / "local.json").exists()


@pytest.mark.parametrize("killed", [4566, 4570])
def test_what_a_killed_run_has_announced_does_not_come_back(tmp_path: Path, killed: int) -> None:
    runs.keep_addresses(tmp_path, a_system(killed))
    with started(tmp_path, 4566):
        assert runs.addresses(tmp_path) == a_system(4566)
    assert not (tmp_path / "local.json").exists()


def test_only_the_owner_may_read_the_addresses(tmp_path: Path) -> None:
    assert runs.keep_addresses(tmp_path, a_system(4566)).stat().st_mode & 0o777 == 0o600


def test_nothing_is_forgotten_while_a_run_uses_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "build.lock").touch()
    with started(tmp_path, 4566):
        assert runs.main(tmp_path) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line == "make clean: `make run` is using .perkwire/4566: stop it first, with Ctrl-C"
    assert runs.main(tmp_path) == 0
    assert capsys.readouterr().err == ""


def test_make_clean_asks_first(tmp_path: Path) -> None:
    """In a copy of what it needs: it would forget the systems of other tests."""
    (tmp_path / "infra" / "local").mkdir(parents=True)
    for name in ("Makefile", "infra/__init__.py", "infra/local/__init__.py", "infra/local/runs.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    work = tmp_path / ".perkwire"

    def clean() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "clean"],  # noqa: S607
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    with started(work, 4566):
        refused = clean()
        assert refused.returncode != 0
        assert "make clean: `make run` is using .perkwire/4566" in refused.stderr
        assert runs.addresses(work) == a_system(4566)
    assert clean().returncode == 0
    assert not work.exists()
    assert clean().returncode == 0


def test_the_demonstration_looks_for_the_system_at_its_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.keep_addresses(tmp_path, a_system(4566))
    (tmp_path / "1").mkdir()
    runs.keep_addresses(tmp_path / "1", a_system(1))

    for port in ("4566", "1", "many"):
        assert demo.main(["--port", port], tmp_path) == 1

    never, stopped, wrong = capsys.readouterr().err.splitlines()
    assert never.startswith("make demo: nothing is running at port 4566: ")
    assert stopped.startswith("make demo: nothing is running at port 1: ")
    assert wrong.startswith("make demo: PORT is 'many': ")
