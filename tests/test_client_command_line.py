"""What an application is called."""

import pytest

from client.command_line.command_line import understand
from client.command_line.flags import Flags
from conf.entry import Entry

KEY = "yarn.application.name"


@pytest.fixture
def named(tmp_path):
    (tmp_path / "train.py").write_text("")
    (tmp_path / "named.yaml").write_text(f"{KEY}: by file\n")

    def name(words, *, is_command=False, **flags):
        line = understand(
            "local", [str(tmp_path / words[0]) if not is_command else words[0], *words[1:]], Flags(**flags), is_command=is_command
        )
        assert not line.problems
        return line.checked.configuration.entries[KEY]

    return name


def test_an_application_is_called_as_its_job(named):
    assert named(["train.py", "--epochs", "3"]) == Entry("train.py", "the job's name")
    assert named(["/usr/bin/torchrun", "train.py"], is_command=True) == Entry("torchrun", "the job's name")


def test_what_a_file_or_a_flag_says_is_stronger(named, tmp_path):
    assert named(["train.py"], files=(str(tmp_path / "named.yaml"),)).value == "by file"
    assert named(["train.py"], files=(str(tmp_path / "named.yaml"),), name="by flag") == Entry("by flag", "--name")
