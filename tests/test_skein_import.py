"""Skein without distutils, each time in a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

from protocol.skein_import import LooseVersion

ROOT = Path(__file__).parent.parent


def python(script):
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_neither_distutils_nor_setuptools_is_imported():
    script = "from protocol.skein_import import import_skein; import sys; import_skein(); import skein; print(skein.__version__)"
    loaded = "print({'distutils', 'distutils.version', 'setuptools', 'pkg_resources'} & sys.modules.keys())"
    assert python(f"{script}; {loaded}").splitlines() == ["0.8.2", "set()"]


def test_skeins_one_comparison_still_works():
    script = "from protocol.skein_import import import_skein; import_skein(); from skein.utils import grpc_fork_support_disabled as f"
    assert python(f"{script}\nwith f(): print('fine')") == "fine"


def test_skein_that_is_imported_already_is_taken_as_it_is():
    script = "import sys, types; sys.modules['skein'] = it = types.ModuleType('skein'); from protocol.skein_import import import_skein"
    assert python(f"{script}; print(import_skein() is it)") == "True"


@pytest.mark.parametrize(("version", "older"), [("1.17.9", True), ("1.18.0", False), ("1.85.1", False), ("2.0.0rc1", False)])
def test_older_than_1_18(version, older):
    assert (LooseVersion(version) < "1.18.0") is older
