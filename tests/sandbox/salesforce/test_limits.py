"""How many calls an org may make in 24 hours."""

from datetime import timedelta

import pytest


@pytest.fixture
def tight(client):
    """An org that has five calls a day."""
    assert client("PUT", "/_sandbox/settings", {"daily_requests": 5})[0] == 200
    return client


def use_up(client):
    for _ in range(5):
        assert client("GET", "sobjects")[0] == 200


def test_calls_beyond_the_daily_limit_are_refused(tight):
    """403 with the code that clients know, and the refused calls count no further."""
    use_up(tight)
    for _ in range(2):
        assert tight("GET", "sobjects") == (
            403, [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
        )  # fmt: skip
        assert tight.last.headers["Sforce-Limit-Info"] == "api-usage=5/5"


def test_a_day_later_there_are_calls_again(tight, clock):
    """The limit is of any 24 hours, so calls come back as the old ones grow older."""
    use_up(tight)
    clock.advance(timedelta(hours=20))
    assert tight("GET", "sobjects")[0] == 403
    clock.advance(timedelta(hours=4))
    assert tight("GET", "sobjects")[0] == 200


def test_without_enforcement_they_are_only_counted(tight):
    """As in a paid org that may overshoot."""
    tight("PUT", "/_sandbox/settings", {"enforce_limits": False})
    use_up(tight)
    assert tight("GET", "sobjects")[0] == 200
    assert tight.last.headers["Sforce-Limit-Info"] == "api-usage=6/5"


def test_limits_tell_what_is_left(tight):
    """The resource and the header agree."""
    _, limits = tight("GET", "limits")
    assert limits["DailyApiRequests"] == {"Max": 5, "Remaining": 4}


@pytest.mark.parametrize(
    "given", [{"daily_requests": 0}, {"daily_requests": "many"}, {"enforce_limits": 1}, {"colour": "red"}, []]
)
def test_settings_that_make_no_sense(client, given):
    """They are refused with a sentence and change nothing."""
    before = client("GET", "/_sandbox/settings")[1]
    status, answer = client("PUT", "/_sandbox/settings", given)
    assert (status, list(answer)) == (400, ["error"])
    assert client("GET", "/_sandbox/settings")[1] == before
