"""resolve(): what is refused, and what is derived."""

import pytest

from infra.parameters import ParameterError, resolve
from tests.template.stack import source


def resolved(*, local: bool = False, **given: str) -> dict[str, str]:
    return resolve(source(), given, local=local)


class TestDerived:
    def test_local_defaults_retry_fast_enough_to_watch(self) -> None:
        found = resolved(local=True)
        assert found["RetryIntervalSeconds"] == "5"
        assert found["MaxAttempts"] == "4"
        assert found["EndpointPolicy"] == "local"
        assert found["DispatcherTimeoutSeconds"] == "5"
        assert found["EndpointTimeoutSeconds"] == "2.5"

    def test_what_is_given_wins_over_local_defaults(self) -> None:
        found = resolved(local=True, MaxAttempts="3", EndpointPolicy="public")
        assert (found["MaxAttempts"], found["EndpointPolicy"]) == ("3", "public")

    @pytest.mark.parametrize(
        ("interval", "local", "dispatcher", "endpoint"),
        [
            ("300", False, "45", "10"),
            ("3600", False, "45", "10"),
            ("60", False, "10", "5"),
            ("72", False, "12", "7"),
            ("36", False, "6", "3"),
            ("300", True, "45", "10"),
            ("20", True, "20", "10"),
            ("1", True, "1", "0.5"),
        ],
    )
    def test_timeouts_follow_the_retry_interval(
        self, interval: str, local: bool, dispatcher: str, endpoint: str
    ) -> None:
        found = resolved(local=local, RetryIntervalSeconds=interval)
        assert found["DispatcherTimeoutSeconds"] == dispatcher
        assert found["EndpointTimeoutSeconds"] == endpoint

    def test_the_endpoint_timeout_follows_a_given_dispatcher_timeout(self) -> None:
        assert resolved(DispatcherTimeoutSeconds="8")["EndpointTimeoutSeconds"] == "4"

    def test_given_timeouts_stay(self) -> None:
        found = resolved(DispatcherTimeoutSeconds="20", EndpointTimeoutSeconds="0.25")
        assert found["DispatcherTimeoutSeconds"] == "20"
        assert found["EndpointTimeoutSeconds"] == "0.25"

    def test_every_parameter_gets_a_value(self) -> None:
        """An update would keep the previous value of one that is left out."""
        assert set(resolved()) == set(source()["Parameters"])


class TestRefused:
    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            (
                {"MaxAtempts": "3"},
                "There is no parameter MaxAtempts: did you mean MaxAttempts?",
            ),
            (
                {"retryintervalseconds": "3"},
                "There is no parameter retryintervalseconds: did you mean RetryIntervalSeconds?",
            ),
            ({"MaxAttempts": "0"}, "MaxAttempts is 0: it must lie between 1 and 100."),
            ({"MaxAttempts": "-1"}, "MaxAttempts is -1: it must lie between 1 and 100."),
            ({"MaxAttempts": "101"}, "MaxAttempts is 101: it must lie between 1 and 100."),
            ({"MaxAttempts": "2.5"}, "MaxAttempts is '2.5': it must be a whole number."),
            ({"MaxAttempts": ""}, "MaxAttempts is '': it must be a whole number."),
            ({"MaxAttempts": "1_0"}, "MaxAttempts is '1_0': it must be a whole number."),
            (
                {"EndpointTimeoutSeconds": "ten"},
                "EndpointTimeoutSeconds is 'ten': it must be a number.",
            ),
            (
                {"EndpointTimeoutSeconds": "0.2"},
                "EndpointTimeoutSeconds is 0.2: it must lie between 0.25 and 60.",
            ),
            (
                {"PauseWhenExhausted": "yes"},
                "PauseWhenExhausted is 'yes': it must be one of false, true.",
            ),
            (
                {"FunctionLogRetentionDays": "8"},
                "FunctionLogRetentionDays is '8': it must be one of "
                "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365.",
            ),
            ({"AlarmEmail": "me"}, "AlarmEmail is 'me': it must be empty or an e-mail address."),
        ],
    )
    def test_anywhere_by_name_and_bounds(self, given: dict[str, str], sentence: str) -> None:
        for local in (False, True):
            with pytest.raises(ParameterError) as refusal:
                resolved(local=local, **given)
            assert str(refusal.value) == sentence

    def test_an_unknown_name_like_none_gets_the_list(self) -> None:
        with pytest.raises(
            ParameterError, match=r"parameter Zq: there are MaxAttempts, .*Concurrency\."
        ):
            resolved(Zq="1")

    @pytest.mark.parametrize(
        ("given", "local", "words"),
        [
            ({"DispatcherTimeoutSeconds": "6"}, True, "visibility timeout of its queue"),
            ({"DispatcherTimeoutSeconds": "301"}, False, "visibility timeout of its queue"),
            ({"DispatcherTimeoutSeconds": "51"}, False, "a sixth of RetryIntervalSeconds (300)"),
            ({"RetryIntervalSeconds": "35"}, False, "it must be at least 36"),
            ({"EndpointTimeoutSeconds": "42.1"}, False, "at least 3 below"),
            ({"EndpointTimeoutSeconds": "45"}, False, "below DispatcherTimeoutSeconds (45)"),
            ({"EndpointTimeoutSeconds": "5"}, True, "below DispatcherTimeoutSeconds (5)"),
            ({"LogRetentionDays": "31"}, False, "it must not exceed EventRetentionDays (30)"),
            ({"LogRetentionDays": "31"}, True, "it must not exceed EventRetentionDays (30)"),
            (
                {"MaxAttempts": "5", "RetryIntervalSeconds": "34561"},
                False,
                "is 172805 seconds: it may be two days (172800) at most",
            ),
            ({"EndpointPolicy": "local"}, False, "in the cloud it must be public"),
        ],
    )
    def test_what_does_not_go_together(
        self, given: dict[str, str], local: bool, words: str
    ) -> None:
        with pytest.raises(ParameterError) as refusal:
            resolved(local=local, **given)
        assert words in str(refusal.value)
        assert str(refusal.value).endswith(".")
        assert "\n" not in str(refusal.value)

    @pytest.mark.parametrize(
        ("given", "local"),
        [
            ({"DispatcherTimeoutSeconds": "50"}, False),
            ({"DispatcherTimeoutSeconds": "5"}, True),
            ({"EndpointTimeoutSeconds": "42"}, False),
            ({"LogRetentionDays": "30", "EventRetentionDays": "30"}, False),
            ({"MaxAttempts": "4", "RetryIntervalSeconds": "43200"}, False),
            ({"AlarmEmail": "on.call+perkwire@example.com"}, False),
            ({"AlarmEmail": ""}, False),
        ],
    )
    def test_the_very_edge_is_accepted(self, given: dict[str, str], local: bool) -> None:
        assert given.items() <= resolved(local=local, **given).items()
