"""What the words of a command line are taken for, before any verb does its work; and where the result goes."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from client_verbs import ID, every_verb, submitted
from submitting import SUBMIT


@pytest.fixture
def submit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path / "home"))
    return partial(submitted, capsys)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["statsu", ID], "did you mean `submit status`? "),
        (["rnu", "job.py"], "did you mean `submit run`? "),
        (["help"], "did you mean `submit --help`? "),
        (["help", "run"], "did you mean `submit run --help`? "),
        (["help", "rnu"], "did you mean `submit --help`? "),
        (["version"], "did you mean `submit --version`? "),
        (["cancel", ID], "did you mean `submit kill`? "),
        (["--verbose", "statsu"], "did you mean `submit status`? "),
        (["xyzzy"], ""),
        (["history", "shwo", "x"], "did you mean `submit history show`? "),
        (["history", "help"], "did you mean `submit history --help`? "),
    ],
)
def test_a_word_that_is_no_verb(submit, arguments, hint):
    code, out, err = submit(*arguments)
    cause, remedy = err.splitlines()
    of = "submit history" if arguments[0] == "history" else "submit"
    word = next(word for word in arguments if word not in ("history", "--verbose"))
    assert (code, out, cause) == (2, "", f"error: {word!r} is no verb of {of}")
    assert remedy.startswith(f"remedy: {hint}the verbs are ")
    assert ("a command comes after --" in remedy) == (of == "submit")


@pytest.mark.parametrize(
    ("word", "cause"),
    [("job.py", "does not exist"), ("./statsu", "is not a .py file"), ("there", "is not a .py file"), ("--nme", "No such option")],
)
def test_what_may_be_a_file_or_an_option_is_for_run(submit, tmp_path, word, cause):
    (tmp_path / "there").write_text("")
    code, _, err = submit(word)
    assert (code, cause in err) == (2, True)


@pytest.mark.parametrize("arguments", [[], ["--verbose"], ["history"], ["history", "--verbose"]])
def test_no_word_is_the_help_and_wrong_usage(submit, arguments):
    code, out, err = submit(*arguments)
    assert (code, out, err) == (2, "", submit(*arguments[:1], "--help")[1])


def test_every_verb_takes_verbose_and_both_spellings_of_help():
    verbs = [*every_verb()]
    assert len(verbs) > 12
    for words, options in verbs:
        assert [name for name in ("--verbose", "-h", "--help") if name not in options] == [], words


@pytest.mark.parametrize("arguments", [["--verbose", "kill", "nonsense"], ["kill", "nonsense", "--verbose"]])
def test_verbose_before_and_behind_a_verb_shows_the_traceback(submit, tmp_path, monkeypatch, arguments):
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path / "none"))
    assert "Traceback" in submit(*arguments)[2]


def test_a_history_is_shown_by_its_id_alone(submit):
    for arguments in (["history", "local-1"], ["history", "--events", "local-1"]):
        assert "there is no history of local-1" in submit(*arguments)[2]


@pytest.mark.parametrize(
    ("arguments", "cause", "remedy"),
    [
        (["top", "--interval", "x"], "--interval is 'x': not a number", "write a number of seconds from 0.5 to 86400"),
        (["top", "--interval", "0.1"], "--interval is '0.1': less than 0.5", "write a number of seconds from 0.5 to 86400"),
        (["top", "--interval", "99999"], "--interval is '99999': more than 86400", "write a number of seconds from 0.5 to 86400"),
        (["logs", ID, "--tail", "x"], "--tail is 'x': not a whole number", "write a whole number from 0"),
        (["history", "list", "--limit", "0"], "--limit is '0': less than 1", "write a whole number from 1"),
    ],
)
def test_what_is_no_number(submit, arguments, cause, remedy):
    assert submit(*arguments) == (2, "", f"error: {cause}\nremedy: {remedy}\n")


@pytest.mark.parametrize(
    ("arguments", "cause", "verb"),
    [
        (["config", "-D"], "Option '-D' requires an argument.", "config"),
        (["history", "list", "--limit"], "Option '--limit' requires an argument.", "history list"),
        (["--queue"], "Option '--queue' requires an argument.", "run"),
        (["completion"], "Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish", "completion"),
    ],
)
def test_what_click_finds_wrong_names_the_verb(submit, arguments, cause, verb):
    assert submit(*arguments) == (2, "", f"error: {cause}\nremedy: see `submit {verb} --help`\n")


@pytest.mark.parametrize("flag", ["--follow", "-f"])
def test_follow_is_the_default_said_aloud(submit, flag):
    assert "none.py does not exist" in submit("run", "--detach", flag, "--timeout", "1 s", "none.py")[2]
    assert "--timeout with --detach" in submit("run", flag, "--detach", "--timeout", "1 s", "none.py")[2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["drivers"], ["--help"]])
def test_a_stdout_that_takes_no_more_is_an_error(words, unbuffered):
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [str(SUBMIT), *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )
    cause = "error: stdout can't be written: No space left on device"
    assert (said.returncode, said.stderr.splitlines()) == (5, [cause, "remedy: make room where it goes, or write it elsewhere"])


def test_who_has_read_enough_is_no_error():
    with subprocess.Popen([str(SUBMIT), "config", "--keys"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


def test_completion_after_a_word_that_is_no_verb_is_no_error():
    environment = os.environ | {"_SUBMIT_COMPLETE": "bash_complete", "COMP_WORDS": "submit statsu ", "COMP_CWORD": "2"}
    said = subprocess.run([sys.executable, "-m", "client"], env=environment, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
