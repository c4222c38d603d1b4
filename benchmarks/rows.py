"""The rows of the table: one function each, under the name `--only` takes."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.console import console, read_everything
from benchmarks.generate import KIND, write_repository, write_seed
from benchmarks.other_client import environment
from benchmarks.timing import POLICYSYNC, PYTHON, Row, compare, peak_megabytes, seconds

LATENCY = 0.02
_NOTHING = [PYTHON, "-c", "pass"]


def version(runs: int, _work: Path) -> Row:
    """Start-up."""
    ours, theirs = compare(lambda: seconds([POLICYSYNC, "--version"]), lambda: seconds(_NOTHING), 5 * runs)
    return Row("policysync --version", "python -c pass", ours, theirs, "at most 4")


def validate_one(runs: int, work: Path) -> Row:
    """What a pre-commit hook pays for one file."""
    file = write_repository(work, 1, {"dev-console": "embedded:dev"})[0]
    line = [POLICYSYNC, "validate", str(file)]
    ours, theirs = compare(lambda: seconds(line, work), lambda: seconds(_NOTHING), 5 * runs)
    return Row("validate one file", "python -c pass", ours, theirs, "at most 8")


def validate_cold(runs: int, work: Path) -> Row:
    """Every file parsed and judged."""
    files = write_repository(work, 2000, {"dev-console": "embedded:dev"})

    def cold() -> float:
        shutil.rmtree(work / ".policysync", ignore_errors=True)
        return seconds([POLICYSYNC, "validate"], work)

    ours, theirs = compare(cold, _other_checker(files, work), runs)
    return Row("validate 2,000 documents, cold", "check-jsonschema", ours, theirs, "at least 10")


def validate_warm(runs: int, work: Path) -> Row:
    """Nothing changed since the last time."""
    files = write_repository(work, 2000, {"dev-console": "embedded:dev"})
    seconds([POLICYSYNC, "validate"], work)
    ours, theirs = compare(lambda: seconds([POLICYSYNC, "validate"], work), _other_checker(files, work), runs)
    return Row("validate 2,000 documents, warm", "check-jsonschema", ours, theirs, "at least 40")


def _other_checker(files: list[Path], work: Path) -> Callable[[], float]:
    """Return a run of check-jsonschema over the same files, with the schema we publish."""
    seconds([POLICYSYNC, "schema", KIND, "--out", str(work / "schemas")], work)
    schema = work / "schemas" / f"{KIND}.schema.json"
    line = [PYTHON, "-m", "check_jsonschema", "--schemafile", str(schema), *map(str, files)]
    return lambda: seconds(line, work)


def plan_10(runs: int, work: Path) -> Row:
    """Ten requests at once, as by default."""
    return _plan(runs, work, 10)


def plan_32(runs: int, work: Path) -> Row:
    """Thirty-two requests at once."""
    return _plan(runs, work, 32)


def _plan(runs: int, work: Path, connections: int) -> Row:
    seed = write_seed(work / "seed", 2000)
    with console(seed, LATENCY) as port:
        write_repository(work / "repository", 2000, {"dev-console": f"http://127.0.0.1:{port}"})
        line = _plan_line(connections)
        seconds(line, work / "repository")
        ours, theirs = compare(
            lambda: seconds(line, work / "repository"), lambda: read_everything(port, connections), runs
        )
    work_done = f"plan without changes, 2,000 resources, {connections} at once"
    return Row(work_done, "bare http.client", ours, theirs, "at most 1.5")


def pipeline(runs: int, work: Path) -> Row:
    """From git to the last difference, nothing remembered from an earlier run."""
    seed = write_seed(work / "seed", 2000)
    root = work / "repository"
    with console(seed, LATENCY) as port:
        base = f"http://127.0.0.1:{port}"
        write_repository(root, 2000, {"dev-console": base})
        seconds([POLICYSYNC, "schema", KIND, "--out", str(work / "schemas")], root)
        schema = work / "schemas" / f"{KIND}.schema.json"
        other = [PYTHON, "-m", "benchmarks.first_choice", str(root), base, str(schema)]

        def cold() -> float:
            shutil.rmtree(root / ".policysync", ignore_errors=True)
            return seconds(_plan_line(32), root)

        ours, theirs = compare(cold, lambda: seconds(other), runs)
    return Row("the whole pipeline, 2,000 documents, cold", "first-choice calls", ours, theirs, "at least 8")


def client(runs: int, work: Path) -> Row:
    """Another program that reads the same console, one request after another, and compares nothing."""
    seed = write_seed(work / "seed", 2000)
    python = environment(work / "other")
    with console(seed, LATENCY) as port:
        base = f"http://127.0.0.1:{port}"
        write_repository(work / "repository", 2000, {"dev-console": base})
        other = [python, str(Path(__file__).with_name("other_client.py")), base, "administrator", "emulator"]
        line = _plan_line(10)
        seconds(line, work / "repository")
        ours, theirs = compare(lambda: seconds(line, work / "repository"), lambda: seconds(other), runs)
    return Row("plan without changes, 2,000 resources", "aquasec reads them", ours, theirs, "at least 3")


def growth(runs: int, work: Path) -> Row:
    """Ten times the resources should take ten times as long."""
    large, small = work / "large", work / "small"
    many, few = write_seed(work / "many", 10_000), write_seed(work / "few", 1000)
    with console(many, 0) as a, console(few, 0) as b:
        write_repository(large, 10_000, {"dev-console": f"http://127.0.0.1:{a}"})
        write_repository(small, 1000, {"dev-console": f"http://127.0.0.1:{b}"})
        for root in (large, small):
            seconds(_plan_line(10), root)
        ours, theirs = compare(lambda: seconds(_plan_line(10), large), lambda: seconds(_plan_line(10), small), runs)
    return Row("plan 10,000 resources without changes", "plan 1,000", ours, theirs, "at most 10")


def consoles(runs: int, work: Path) -> Row:
    """Three consoles of one stage at once."""
    seed = write_seed(work / "seed", 300)
    with console(seed, LATENCY) as a, console(seed, LATENCY) as b, console(seed, LATENCY) as c:
        ports = {"a": a, "b": b, "c": c}
        write_repository(work / "three", 300, {name: f"http://127.0.0.1:{port}" for name, port in ports.items()})
        line = _plan_line(10)
        one = [*line, "--target", "a"]
        seconds(line, work / "three")
        ours, theirs = compare(lambda: seconds(line, work / "three"), lambda: seconds(one, work / "three"), runs)
    return Row("plan three consoles of 300 resources", "one of them", ours, theirs, "at most 1.5")


def memory(runs: int, work: Path) -> Row:
    """Ten thousand resources, none changed."""
    seed = write_seed(work / "seed", 10_000)
    with console(seed, 0) as port:
        write_repository(work / "repository", 10_000, {"dev-console": f"http://127.0.0.1:{port}"})
        used = statistics.median(peak_megabytes(_plan_line(10), work / "repository") for _ in range(runs))
    return Row("memory, plan of 10,000 resources", "400 MB", used, 400, "at most 1", "MB")


def _plan_line(connections: int) -> list[str]:
    limits = ["--parallelism", str(connections), "--max-rps", "0"]
    return [POLICYSYNC, "plan", "--stage", "dev", *limits]


ROWS: Mapping[str, Callable[[int, Path], Row]] = {
    "version": version,
    "validate-one": validate_one,
    "validate-cold": validate_cold,
    "validate-warm": validate_warm,
    "plan-10": plan_10,
    "plan-32": plan_32,
    "pipeline": pipeline,
    "client": client,
    "consoles": consoles,
    "growth": growth,
    "memory": memory,
}
