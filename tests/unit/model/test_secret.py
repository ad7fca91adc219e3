import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.model.secret import UnusableSecret, check_secret, new_secret, signing_key
from tests.builders import SECRET


@given(st.binary(min_size=24, max_size=64))
def test_the_key_is_the_decoded_part(key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()

    assert check_secret(secret) is None
    assert signing_key(secret) == key


def test_a_new_secret_is_good_long_and_like_no_other() -> None:
    secrets = {new_secret() for _ in range(50)}

    assert len(secrets) == 50
    assert all(check_secret(secret) is None for secret in secrets)
    assert all(len(signing_key(secret)) == 32 for secret in secrets)


WRONG = [
    "",
    "whsec_",
    SECRET.removeprefix("whsec_"),
    SECRET.replace("whsec_", "whsk_"),
    "whsec_" + base64.b64encode(bytes(23)).decode(),
    "whsec_" + base64.b64encode(bytes(65)).decode(),
    "whsec_" + base64.b64encode(bytes(25)).decode().rstrip("="),
    "whsec_" + base64.urlsafe_b64encode(b"\xff" * 24).decode(),
    SECRET + "\n",
    " " + SECRET,
    SECRET[:20] + " " + SECRET[20:],
    "whsec_" + "é" * 32,
]


@pytest.mark.parametrize("secret", WRONG)
def test_anything_else_is_said_to_be_wrong_without_being_repeated(secret: str) -> None:
    wrong = check_secret(secret)

    assert wrong is not None
    with pytest.raises(UnusableSecret, match="form") as raised:
        signing_key(secret)
    body = secret.removeprefix("whsec_").strip()
    assert not body or body not in f"{wrong} {raised.value}"


@pytest.mark.parametrize(
    ("written", "otherwise"), [(bytes(25), "B=="), (bytes(26), "B="), (b"\xff" * 25, "x==")]
)
def test_base64_that_is_not_canonical_is_refused_and_still_signs(
    written: bytes, otherwise: str
) -> None:
    """Go, Rust and others refuse it; what was stored before the rule has to go on signing."""
    canonical = "whsec_" + base64.b64encode(written).decode()
    secret = canonical[: -len(otherwise)] + otherwise
    assert secret != canonical

    assert "canonical" in str(check_secret(secret))
    assert signing_key(secret) == written


@given(st.text(max_size=100))
def test_any_text_is_checked(text: str) -> None:
    assert check_secret(text) is not None
