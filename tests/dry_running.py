"""`submit run --dry-run` of a job in a directory of its own, in this process."""

from functools import partial

from client_verbs import submitted

GPU = ["--resource", "gpu=1:yarn.io/gpu"]


def make_job(directory, monkeypatch):
    monkeypatch.chdir(directory)
    monkeypatch.setenv("TREADLE_HOME", str(directory / "home"))
    (directory / "job.py").write_text("print('never run here')\n")
    return directory


def dry_run(capsys):
    """What runs a command line with --dry-run; it returns exit code, stdout and stderr."""
    return partial(submitted, capsys, "run", "--dry-run")
