"""Importing a module of functions/ opens nothing and starts nothing.

Of the environment it reads whether Lambda is initialising a function.
"""

import json
import subprocess
import sys
from pathlib import Path

FUNCTIONS = Path(__file__).parents[2] / "functions"
MODULES = sorted(
    ".".join(path.relative_to(FUNCTIONS).with_suffix("").parts).removesuffix(".__init__")
    for path in FUNCTIONS.rglob("*.py")
)

# Packages of others look at the environment when they are imported, and urllib3 opens a socket to
# see whether there is IPv6: what counts is who asks.
WATCH = """
import gc, importlib, json, os, socket, subprocess, sys, threading

functions, modules = sys.argv[1], json.loads(sys.argv[2])
sys.path.insert(0, functions)
done = []
between = ("<frozen", __file__, socket.__file__, subprocess.__file__)

def asked_by_us():
    frame = sys._getframe(2)
    while frame.f_code.co_filename.startswith(between):
        frame = frame.f_back
    return frame.f_code.co_filename.startswith(functions)

class Environment(os._Environ):
    def __getitem__(self, name):
        if asked_by_us():
            done.append(f"reads {name}")
        return super().__getitem__(name)

    def __iter__(self):
        if asked_by_us():
            done.append("reads the environment")
        return super().__iter__()

given = os.environ
os.environ = Environment(
    given._data, given.encodekey, given.decodekey, given.encodevalue, given.decodevalue
)

def watch(what, arguments):
    reaches_out = what in ("socket.__new__", "socket.getaddrinfo", "subprocess.Popen", "os.system")
    if reaches_out and asked_by_us():
        done.append(what)
    if what == "open" and arguments[1] and set(arguments[1]) & set("wax+"):
        done.append(f"writes {arguments[0]}")

sys.addaudithook(watch)
for module in modules:
    importlib.import_module(module)
if threading.active_count() > 1:
    done.append("starts a thread")
clients = sys.modules.get("botocore.client")
if clients and any(isinstance(one, clients.BaseClient) for one in gc.get_objects()):
    done.append("makes a client")
print(json.dumps(done))
"""


def done_by_importing(functions: Path, modules: list[str], tmp_path: Path) -> list[str]:
    program = tmp_path / "watch.py"
    program.write_text(WATCH)
    result = subprocess.run(
        [sys.executable, "-B", program, functions, json.dumps(modules)],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found: list[str] = json.loads(result.stdout)
    return found


def test_there_are_modules_to_import() -> None:
    assert {"ingest.app", "dispatcher.app", "perkwire", "perkwire.adapters.sender.http"} <= {
        *MODULES
    }


def test_importing_every_module_with_an_empty_environment_does_nothing(tmp_path: Path) -> None:
    assert set(done_by_importing(FUNCTIONS, MODULES, tmp_path)) == {
        "reads AWS_LAMBDA_FUNCTION_NAME"
    }


GUILTY = """
import os, socket, threading
os.environ.get("HOME")
os.getenv("PATH")
"USER" in os.environ
dict(os.environ)
socket.socket().close()
threading.Thread(target=threading.Event().wait, daemon=True).start()
open(__file__, "a").close()
"""


def test_the_watch_sees_what_it_is_to_see(tmp_path: Path) -> None:
    (tmp_path / "guilty.py").write_text(GUILTY)

    assert set(done_by_importing(tmp_path, ["guilty"], tmp_path)) >= {
        "reads HOME",
        "reads PATH",
        "reads USER",
        "reads the environment",
        "socket.__new__",
        "starts a thread",
        f"writes {tmp_path / 'guilty.py'}",
    }
