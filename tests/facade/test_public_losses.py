"""Loss modules of public libraries print the same numbers in `jloss python` as in CPython."""

import math
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from public_losses import CASES  # noqa: E402

SITE = sysconfig.get_paths()["purelib"]
SCRIPT = str(HERE / "public_losses.py")
JLOSS = [str(HERE.parent.parent / "jloss"), "python", "--read", SITE]


def table(command):
    done = subprocess.run([*command, SCRIPT, SITE], capture_output=True, text=True)
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return {name: [float(n) for n in numbers] for name, *numbers in lines}, done.stderr


@pytest.fixture(scope="session")
def tables():
    expected, errors = table([sys.executable])
    assert expected.keys() == CASES.keys(), errors
    return expected, *table(JLOSS)


@pytest.mark.parametrize("name", CASES)
def test_same_numbers(tables, name):
    expected, found, errors = tables
    assert name in found, errors
    # Of a sum that nearly cancels only the digits that its terms have are there to compare.
    size = max(map(abs, expected[name]))
    assert math.isfinite(size)
    assert found[name] == pytest.approx(expected[name], rel=1e-5, abs=1e-6 * size)
