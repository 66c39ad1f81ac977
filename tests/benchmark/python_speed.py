"""Python in the JVM against CPython with PyTorch, on one script: the tables of docs/python-speed.md.

    python tests/benchmark/python_speed.py [--rounds 3] [--jdk25 HOME]

Runs python_speed_script.py in turns: by ./jloss with JAVA_HOME, by ./jloss with a JDK that takes Graal's
compiler where one is named, and by this Python. The median of the rounds counts. CPU seconds are those of
the whole process until its end at a script that makes one loss.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
LAUNCHER = HERE.parents[1] / "jloss"


def run(command, environment, script):
    """What a script printed, and the process's CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(
        [*command, str(script), str(time.time())],
        env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    ).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    values = {name: float(value) for name, value in (line.rsplit(" ", 1) for line in out.splitlines())}
    return values, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def shown(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jdk25", help="a JDK that takes Graal's compiler")
    options = parser.parse_args()
    jloss = [str(LAUNCHER), "python"]
    ways = {"interpreted": (jloss, {"JLOSS_INTERPRETED": "1"})}
    if options.jdk25:
        ways["compiled"] = (jloss, {"JAVA_HOME": options.jdk25})
    ways["CPython"] = ([sys.executable], {})
    source = (HERE / "python_speed_script.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        first = pathlib.Path(folder, "first.py")
        first.write_text(source[: source.index("\n\ndef call")])
        whole = pathlib.Path(folder, "whole.py")
        whole.write_text(source)
        results = {way: {} for way in ways}
        loads = []
        for _ in range(options.rounds):
            for way, (command, environment) in ways.items():
                loads.append(os.getloadavg()[0])
                _, cpu = run(command, environment, first)
                values, _ = run(command, environment, whole)
                for name, value in {"first loss, CPU of the process": cpu, **values}.items():
                    results[way].setdefault(name, []).append(value)
    print(f"Load {min(loads):.0f} to {max(loads):.0f}, {os.cpu_count()} cores, {options.rounds} rounds.\n")
    print("| |", " | ".join(ways), "|")
    print("|---" * (len(ways) + 1) + "|")
    for name in results["CPython"]:
        medians = {way: statistics.median(results[way][name]) for way in ways}
        cells = [
            shown(m) + ("" if way == "CPython" else f" ({m / medians['CPython']:.2g})")
            for way, m in medians.items()
        ]
        print(f"| {name} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
