"""Checks the package's type stubs with mypy --strict: what must pass and what must not.

    python tests/typing/check.py [FOLDER OF THE BUILT PACKAGE]
"""

import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
BUILT = HERE.parents[1] / "python-bridge/target/classes/GRAALPY-VFS/org.jloss/jloss-python/src"


def mypy(*arguments, path):
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *map(str, arguments)],
        capture_output=True, text=True, env={"MYPYPATH": str(path)}, cwd=HERE,
    )


def main(package):
    stubs = sorted((package / "jloss").glob("*.pyi"))
    modules = {s.stem for s in stubs if not s.stem.startswith("_") or s.stem == "__init__"}
    sources = {s.stem for s in (package / "jloss").glob("*.py") if not s.stem.startswith("_") or s.stem == "__init__"}
    failures = [f"no stub for jloss.{m}" for m in sorted(sources - modules)]
    for run in (mypy(*stubs, path=package), mypy("good.py", path=package)):
        failures += run.stdout.splitlines() + run.stderr.splitlines()
    found = set(re.findall(r"^bad\.py:(\d+): error: .*\[([a-z-]+)\]$", mypy("bad.py", path=package).stdout, re.M))
    expected = {
        (str(n), match[1])
        for n, line in enumerate((HERE / "bad.py").read_text().splitlines(), 1)
        if (match := re.search(r"# error: ([a-z-]+)$", line))
    }
    failures += [f"bad.py:{n}: expected the error [{kind}]" for n, kind in sorted(expected - found)]
    failures += [f"bad.py:{n}: unexpected error [{kind}]" for n, kind in sorted(found - expected)]
    print("\n".join(failures) or f"the stubs hold: {len(stubs)} files, {len(expected)} errors found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else BUILT))
