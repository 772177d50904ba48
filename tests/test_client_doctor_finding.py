"""What findings come to together."""

from client.doctor.finding import FAILURE, OK, SKIPPED, WARNING, Finding, healthy


def test_skipped_and_warned_is_still_healthy():
    assert healthy([Finding("a", OK, ""), Finding("b", WARNING, ""), Finding("c", SKIPPED, "")])
    assert not healthy([Finding("a", OK, ""), Finding("b", FAILURE, "")])
