"""Run the suite on other interpreters: ``python packaging/interpreters.py [--core] PYTHON... [-- PYTEST-OPTION...]``.

Each interpreter gets an environment of its own under ``target/interpreters``, with the pinned tools
where all of them have wheels for it, with the newest that do where some have not, and with those of
the core's tests alone where that fails too. On an interpreter without a global lock the core's
tests run in several threads at once, with their tools alone. A table comes last; the exit code is 1
if anything in it failed.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "target" / "interpreters"
# What the core's tests need, and the tests themselves: no model, no network.
CORE_TOOLS = [
    *("httpx2", "hypothesis", "maturin", "orjson", "pytest>=9", "pytest-asyncio", "pytest-benchmark"),
    *("pytest-run-parallel", "pytest-timeout", "pytest-xdist"),
]
CORE_STEMS = "backend decode decoder_parts decoder_records encode_sse json parity partial sse text"
CORE_TESTS = [f"tests/test_{stem}.py" for stem in CORE_STEMS.split()]
# Tools in plain Python that have no wheel.
SOURCES = ["forbiddenfruit"]
# orjson has no wheel for free-threaded interpreters, and builds there only if ORJSON_BUILD_FREETHREADED is set.
FREE_THREADED_SOURCES = [*SOURCES, "orjson"]
THREADS = 4
ASKED = (
    "import sys, sysconfig; free = sysconfig.get_config_var('Py_GIL_DISABLED'); "
    "print('%d.%d' % sys.version_info[:2] + ('t' if free else ''), sys.version.split()[0])"
)


@dataclass
class Interpreter:
    """One interpreter, and the results of its run."""

    path: str
    name: str
    version: str
    core_alone: bool
    tools: str = "none"
    result: str = "the environment could not be made"
    passed: bool = False

    @property
    def is_free_threaded(self) -> bool:
        """Whether it is a free-threaded build."""
        return self.name.endswith("t")

    @property
    def folder(self) -> Path:
        """The folder of its virtual environment."""
        return PLACE / self.name

    def run(self, *arguments: str | Path, **variables: str) -> bool:
        """Run ``python ARGUMENTS`` in the environment; return whether it succeeded."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYO3"))}
        python = self.folder / "bin" / "python"
        environment.update(variables, VIRTUAL_ENV=str(self.folder), PYO3_PYTHON=str(python))
        environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
        return subprocess.run([python, *arguments], cwd=ROOT, env=environment, check=False).returncode == 0

    def install(self, *wanted: str) -> bool:
        """Install ``wanted``: from wheels, so that nothing is compiled, except for those of ``SOURCES``."""
        sources = FREE_THREADED_SOURCES if self.is_free_threaded else SOURCES
        forms = ("--only-binary=:all:", f"--no-binary={','.join(sources)}")
        command = ("-m", "pip", "install", "-q", "--disable-pip-version-check", *forms, *wanted)
        return self.run(*command, ORJSON_BUILD_FREETHREADED="1")

    def prepare(self) -> bool:
        """Make the environment and build the core for it."""
        if not self._make():
            return False
        self.result = "the core could not be built"
        return self.run("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--editable", ".")

    def _make(self) -> bool:
        if subprocess.run([self.path, "-m", "venv", "--clear", self.folder], check=False).returncode:
            return False
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        own = project["project"]["dependencies"]
        newest = [re.split(r"==", name)[0] for name in project["dependency-groups"]["dev"]]
        choices = {"pinned": ["-r", "requirements-dev.lock"], "newest": [*own, *newest], "core": CORE_TOOLS}
        if self.core_alone or self.is_free_threaded:
            choices = {"core": ["-c", "requirements-dev.lock", *CORE_TOOLS], "newest": CORE_TOOLS}
        self.tools = next((name for name, wanted in choices.items() if self.install(*wanted)), "none")
        return self.tools != "none"

    def test(self, options: list[str]) -> None:
        """Run the suite, and record its result."""
        report = PLACE / f"{self.name}.xml"
        report.unlink(missing_ok=True)
        core_alone = self.core_alone or self.is_free_threaded or self.tools == "core"
        chosen = [*CORE_TESTS] if core_alone else ["-m", "not packaging"]
        chosen += [f"--parallel-threads={THREADS}"] if self.is_free_threaded else ["-n", "2", "--dist", "worksteal"]
        lock = {"PYTHON_GIL": "0"} if self.is_free_threaded else {}
        self.passed = self.run(
            "-m", "pytest", "-q", f"--junit-xml={report}", *chosen, *options, MILLSTREAM_REQUIRE_NATIVE="1", **lock
        )
        self.result = _summary(report)


def _summary(report: Path) -> str:
    """Return the header of the report."""
    found = re.search(r"<testsuite [^>]*>", report.read_text()) if report.is_file() else None
    if found is None:
        return "the tests could not be run"
    counts = dict(re.findall(r'(tests|errors|failures|skipped)="(\d+)"', found[0]))
    return ", ".join(f"{counts[name]} {name}" for name in ("tests", "failures", "errors", "skipped"))


def _known(arguments: list[str]) -> Iterator[Interpreter]:
    for path in arguments:
        if path == "--core":
            continue
        try:
            asked = subprocess.run([path, "-c", ASKED], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"{path} does not run: {error}")
        name, version = asked.stdout.split()
        yield Interpreter(path, name, version, core_alone="--core" in arguments)


def main(arguments: list[str]) -> int:
    """Run the suite on each interpreter and print the table."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    interpreters = list(_known(arguments[:split]))
    if not interpreters:
        sys.exit("name the interpreters: python packaging/interpreters.py python3.12 python3.13")
    PLACE.mkdir(parents=True, exist_ok=True)
    for interpreter in interpreters:
        print(f"=== {interpreter.path}, {interpreter.name} ({interpreter.version})", flush=True)
        if interpreter.prepare():
            interpreter.test(arguments[split + 1 :])
    print(f"\n{'name':<8}{'version':<12}{'tools':<8}{'passed':<8}result")
    for each in interpreters:
        print(f"{each.name:<8}{each.version:<12}{each.tools:<8}{'yes' if each.passed else 'NO':<8}{each.result}")
    return 0 if all(each.passed for each in interpreters) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
