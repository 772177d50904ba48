"""What YARN says of an application master that has ended, as the ResourceManagers of 3.1.4 and 3.5.0 word it."""

import pytest

from client.yarn.master_failure import MasterFailure, master_failure, outcome_of
from protocol.outcome import Outcome

AGAIN = "submit it again; with -D yarn.application-attempts=2 YARN starts another application master by itself"


def crashed(code, words, times=1):
    return (
        f"Application application_1795844738005_0001 failed {times} times (global limit =2; local limit is ={times}) due to AM "
        f"Container for appattempt_1795844738005_0001_00000{times} exited with  exitCode: {code}\nFailing this attempt.Diagnostics: {words}"
        "For more detailed output, check the application tracking page: http://rm:8088/cluster/app/application_1795844738005_0001 Then "
        "click on links to logs of each attempt.\n. Failing the application."
    )


LOST = crashed(-100, "Container released on a *lost* node")
MEMORY = crashed(
    -104,
    "[2026-11-28 05:46:27.1]Container [pid=17,containerID=container_1_0001_01_000001] is running 21389312B beyond the 'PHYSICAL' memory "
    "limit. Current usage: 788.4 MB of 768 MB physical memory used; 4.1 GB of 1.6 GB virtual memory used. Killing container.\nDump of …\n",
)
MISSING = crashed(
    -1000,
    "[2026-11-28 05:46:27.1]File does not exist: hdfs://nn:8020/user/ann/.skein/application_1/.skein.proto\n"
    "java.io.FileNotFoundException: File does not exist\n\tat a\n\tat b\n\tat c\n\tat d\n",
)


@pytest.mark.parametrize(
    ("text", "cause", "remedy"),
    [
        (LOST, "the node of the application master was lost, or shut down", AGAIN),
        (
            crashed(-100, "Container released on a *lost* node", 2),
            "the node of the application master was lost, or shut down",
            "submit it again",
        ),
        (crashed(-102, "Container preempted by scheduler"), "was preempted", AGAIN),
        (crashed(137, "[2026-11-28 05:46:27.1]Container killed on request. Exit code is 137\n"), "was killed (SIGKILL)", AGAIN),
        (MEMORY, "used more memory than it asked for (788.4 MB of 768 MB physical memory used)", "raise jobmanager.memory.process.size"),
        (
            "Application application_1_0001 failed 1 times due to ApplicationMaster for attempt appattempt_1_0001_000001 timed out.",
            "fell silent",
            AGAIN,
        ),
    ],
)
def test_the_cause_is_told_with_a_remedy_and_without_what_helps_nobody(text, cause, remedy):
    failure = master_failure(text)
    assert cause in failure.cause
    assert remedy in failure.remedy
    assert failure.text() == f"{failure.cause}\nremedy: {failure.remedy}"
    assert failure.remedy == remedy or text is MEMORY


def test_where_the_cause_is_anybodys_guess_yarns_own_words_are_told():
    failure = master_failure(MISSING)
    assert "could not be brought to the node" in failure.cause
    first, *more = failure.detail.splitlines()
    assert first.endswith("File does not exist: hdfs://nn:8020/user/ann/.skein/application_1/.skein.proto")
    assert len(more) == 4
    text = crashed(11, "[2026-11-28 05:46:27.1]Exception from container-launch.\n")
    assert master_failure(text) == MasterFailure(
        "the application master ended with exit code 11",
        "`submit logs APP --all` shows what it wrote (application.master.log, application.driver.log)",
        "[2026-11-28 05:46:27.1]Exception from container-launch.",
    )


@pytest.mark.parametrize("text", ["", "Application killed by user", "sh ended with exit code 7 [exit code 7]"])
def test_what_says_nothing_of_the_master_is_left_as_it_is(text):
    assert master_failure(text) is None
    assert outcome_of("FAILED", text).diagnostics == text.removesuffix(" [exit code 7]")


def test_an_applications_own_words_and_code_count():
    assert outcome_of("FAILED", "sh ended [exit code 7]") == Outcome("FAILED", 7, "sh ended")
    assert outcome_of("FAILED", LOST).exit_code == 1
