"""docs/vectors, read by our formats, by libraries and programs of others, and by each language."""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import standardwebhooks
from svix.webhooks import Webhook as SvixWebhook

from console.views.receiver_code import receiver_code
from perkwire.formats.format import Attempt
from perkwire.formats.registry import find_format
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId
from tests.builders import SECRET
from tests.local.receiving import FORMATS, TOKEN, an_upgrade, sent
from tests.receivers.handlers import (
    HERE,
    build_go,
    build_java,
    every,
    java,
    lay_out,
    lay_out_go,
    lay_out_java,
    needs,
    no_java,
)
from tests.receivers.vectors import FILES, read
from tests.tools import node, npm_packages, program, run

pytestmark = pytest.mark.timeout(400)

_OWN = "qualifio-sha1-base64"
_DEFAULT = '"x-hub-signature", "", "sha256", "hex"'
_OTHER_SECRET = "whsec_" + "B" * 32
_SIGNED_TIMES = {
    "standard": ("webhook-timestamp", 1_000_000),
    "okendo": ("svix-timestamp", 1_000_000),
    "zoho-thrive": ("webhook-timestamp", 1_000_000),
    "zinrelo": ("nonce", 1_000),
}


def test_there_is_a_file_for_every_format() -> None:
    assert {read(name).format for name in FILES} == set(FORMATS)


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_each_kind_of_request(name: str) -> None:
    vectors = read(name).vectors
    named = {one["name"]: one["genuine"] for one in vectors}

    assert len(named) == len(vectors)
    assert {name: named[name] for name in named if not name.startswith("rotated")}.items() >= {
        "one event": True,
        "an integer beyond 2^53": True,
        "a test, to be answered and not booked": True,
        "another secret": False,
        "a body that was changed": False,
        "a body that was written anew": False,
        "no signature": False,
    }.items()
    assert {len(one["signed_with"]) for one in vectors if one["name"].startswith("rotated")} == {
        2,
        3,
    }
    assert ("signed ten minutes ago" in named) == (read(name).format in _SIGNED_TIMES)
    assert all(one["events"] if one["genuine"] else one["why"] for one in vectors)


@pytest.mark.parametrize("name", FILES)
def test_our_format_signs_as_the_file_says(name: str) -> None:
    file = read(name)
    format_ = find_format(file.format)
    assert format_ is not None
    settings = format_.read_settings(Fields(file.settings))
    signed = [one for one in file.vectors if "signed_with" in one]
    assert len(signed) >= 9
    for one in signed:
        header, part = _SIGNED_TIMES.get(file.format, (None, 0))
        attempt = Attempt(
            delivery_id=DeliveryId(one["headers"]["webhook-id"]),
            at=int(one["headers"][header]) * part if header else 0,
            body=one["body"].encode(),
            settings=settings,
        )
        headers = format_.sign(one["signed_with"], attempt)
        assert headers.items() <= one["headers"].items(), one["name"]


@pytest.mark.parametrize("name", ["standard", "zoho-thrive", "okendo"])
def test_the_libraries_signatures_are_those_of_the_file(name: str) -> None:
    """`sign` of both takes the time, where `verify` asks the clock."""
    for one in read(name).vectors:
        at = datetime.fromtimestamp(int(one["headers"]["webhook-timestamp"]), UTC)
        given = one["headers"].get("webhook-signature", "").split()
        timely = abs(one["received_at"] - at.timestamp()) <= 300
        token = one["headers"].get("x-thrive-token", TOKEN) == TOKEN
        for library in (standardwebhooks.Webhook, SvixWebhook):
            made = library(one["secret"]).sign(one["headers"]["webhook-id"], at, one["body"])
            assert (made in given and timely and token) == one["genuine"], one["name"]


@pytest.mark.parametrize("name", FILES)
def test_openssl_makes_the_first_signature(name: str) -> None:
    openssl = program("openssl", "install the package openssl")
    file = read(name)
    first = file.vectors[0]
    headers, secret, body = first["headers"], first["secret"], first["body"]
    message, key, hash_name = body, secret.encode(), "sha256"
    if file.format in ("standard", "okendo", "zoho-thrive"):
        message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}"
        key = base64.b64decode(secret.removeprefix("whsec_"))
    elif file.format == "zinrelo":
        message, hash_name = f"{body}:{headers['nonce']}", "sha512"
    hash_name = file.settings.get("signature_algorithm", hash_name)
    command = [openssl, "dgst", f"-{hash_name}", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}"]
    done = subprocess.run(
        [*command, "-binary"], input=message.encode(), capture_output=True, check=True
    )

    written = {done.stdout.hex(), "v1," + base64.b64encode(done.stdout).decode()}
    written.add("sha1=" + base64.b64encode(done.stdout).decode())
    assert written & set(headers.values())


@dataclass(frozen=True)
class Reader:
    """A language's code of the pages, with a program that reads vectors on its standard input.

    `core` is the file that says how `qualifio` is signed.
    """

    name: str
    core: str
    lay_out: Callable[[Path], None]
    command: Callable[[], list[str]]
    build: Callable[[Path], None] = lambda folder: None
    missing: Callable[[], str | None] = lambda: None


READERS = {
    reader.name: reader
    for reader in (
        Reader(
            "python",
            "qualifio.py",
            lambda folder: lay_out(folder, *every(".py"), drivers={"vectors.py": "vectors.py"}),
            lambda: [sys.executable, "vectors.py"],
        ),
        Reader(
            "node",
            "qualifio.mjs",
            lambda folder: lay_out(folder, *every(".mjs"), drivers={"vectors.mjs": "vectors.mjs"}),
            lambda: [node(), "vectors.mjs"],
        ),
        Reader(
            "php",
            "webhooks.php",
            lambda folder: lay_out(folder, "webhooks.php", drivers={"vectors.php": "vectors.php"}),
            lambda: ["php", "vectors.php"],
            missing=needs("php"),
        ),
        Reader(
            "ruby",
            "webhooks.rb",
            lambda folder: lay_out(folder, "webhooks.rb", drivers={"vectors.rb": "vectors.rb"}),
            lambda: ["ruby", "vectors.rb"],
            missing=needs("ruby"),
        ),
        Reader(
            "go",
            "webhooks/webhooks.go",
            lay_out_go,
            lambda: ["vectors/vectors"],
            build_go,
            needs("go"),
        ),
        Reader(
            "java",
            "Webhooks.java",
            lay_out_java,
            lambda: java("Vectors"),
            build_java,
            no_java,
        ),
    )
}


@pytest.mark.parametrize("language", READERS)
def test_a_languages_code_says_of_each_what_the_file_says(language: str, tmp_path: Path) -> None:
    reader = READERS[language]
    if missing := reader.missing():
        pytest.skip(f"{language}: {missing}")
    reader.lay_out(tmp_path)
    reader.build(tmp_path)

    says_what_the_file_says(reader, tmp_path, *(name for name in FILES if name != _OWN))

    # The signature that the webhook's settings say, as the console has it in its code.
    core = tmp_path / reader.core
    code = core.read_text(encoding="utf-8")
    assert code.count(_DEFAULT) == 1
    core.write_text(code.replace(_DEFAULT, _own_signature()), encoding="utf-8")
    reader.build(tmp_path)

    says_what_the_file_says(reader, tmp_path, _OWN)


def says_what_the_file_says(reader: Reader, folder: Path, *names: str) -> None:
    """One process reads all the files."""
    calls = [{**one, "format": file.format} for file in map(read, names) for one in file.vectors]
    environment = {"THRIVE_TOKEN": TOKEN}

    said = run(reader.command(), folder, stdin=json.dumps(calls), environment=environment)

    for call, answer in zip(calls, json.loads(said), strict=True):
        wanted = call["events"] if call["genuine"] else None
        assert answer == wanted, (call["format"], call["name"])


def _own_signature() -> str:
    settings = read(_OWN).settings
    parts = ("header", "prefix", "algorithm", "encoding")
    return ", ".join(json.dumps(settings[f"signature_{part}"]) for part in parts)


@pytest.mark.parametrize("language", ["Python", "Node"])
def test_the_consoles_code_is_the_pages_with_the_webhooks_own_signature(language: str) -> None:
    code = receiver_code("qualifio", read(_OWN).settings)[language]

    assert code.count(_own_signature()) == 1


def test_nodes_libraries_verify_a_delivery_of_okendo_by_either_set_of_headers(
    tmp_path: Path,
) -> None:
    """Both of npm; a request as it is sent now, as neither takes another clock."""
    (tmp_path / "node_modules").symlink_to(npm_packages(HERE / "npm"))
    shutil.copyfile(HERE / "drivers" / "libraries.mjs.txt", tmp_path / "libraries.mjs")
    calls = []
    for secret, retired in ((SECRET, None), (_OTHER_SECRET, SECRET), (_OTHER_SECRET, None)):
        request = sent("okendo", an_upgrade(), secret=secret, retired=retired)
        for prefix in ("svix", "webhook"):
            headers = {k: v for k, v in request.headers.items() if k.startswith(f"{prefix}-")}
            calls.append({"headers": headers, "body": request.body.decode(), "secret": SECRET})

    said = json.loads(run([node(), "libraries.mjs"], tmp_path, stdin=json.dumps(calls)))

    of_svix_headers = {"svix": True, "standardwebhooks": False}  # it reads webhook-… alone
    of_webhook_headers = {"svix": True, "standardwebhooks": True}
    refused = {"svix": False, "standardwebhooks": False}
    assert said == [of_svix_headers, of_webhook_headers] * 2 + [refused] * 2
