"""The suites of LangChain's tests: where each comes from, and how it is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .source import copy, fetch

__all__ = ("SUITES", "Suite")

_ROOT = Path(__file__).parents[2]
# The modules of langchain-openai with recorded responses for the models that the integration has.
RECORDED = ("base", "base_standard", "responses_api", "responses_standard")
_FOLDER = _ROOT / "target" / "langchain-suite"


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of one project of LangChain's.

    ``folder`` is where they are run, below the folder of all suites, and ``paths`` are those of the tests, from there;
    ``copied`` are the folders of the source distribution that are copied there, and ``own`` is a folder of ours. In all
    of them ``rewritten`` replaces LangChain's package. ``plugin`` is the module of a pytest plugin.
    """

    title: str
    project: str
    folder: str
    paths: Sequence[str]
    copied: Sequence[str] = ("tests",)
    own: Path | None = None
    hosts: Sequence[str] = ()
    plugin: str = "plugin"
    rewritten: bool = True

    def has(self, path: str) -> bool:
        """Return whether the path of a test is one of this suite."""
        return max((one.folder for one in SUITES if path.startswith(one.folder)), key=len) == self.folder

    def source(self) -> Path:
        """Fetch the tests, and return their folder."""
        return fetch(self.project, version(self.project), _FOLDER)

    def run(self, paths: Sequence[str]) -> dict[str, str]:
        """Run the tests of ``paths``; return how each ended."""
        folder = _FOLDER / self.folder
        for name in self.copied:
            copy(self.source() / name, folder / name, rewritten=self.rewritten)
        if self.own is not None:
            copy(self.own, folder / "own", rewritten=self.rewritten)
        (_FOLDER / "pyproject.toml").write_text('[tool.pytest.ini_options]\nasyncio_mode = "auto"\n')
        outcomes = _FOLDER / "outcomes.json"
        outcomes.unlink(missing_ok=True)
        where = os.pathsep.join(map(str, (folder, _ROOT / "tests", _ROOT / "python")))
        settings = {"PYTHONPATH": where, "LANGCHAIN_SUITE_OUTCOMES": str(outcomes), "PYTHONDONTWRITEBYTECODE": "1"}
        # A file that another program has downloaded would let more tests pass.
        settings["TIKTOKEN_CACHE_DIR"] = ""
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "langchain_suite.outcomes", "-p", "no:cacheprovider"),
                *(
                    "-p",
                    f"langchain_suite.{self.plugin}",
                    "-c",
                    str(_FOLDER / "pyproject.toml"),
                    "-q",
                    "--tb=native",
                    "--no-header",
                    "--no-summary",
                ),
                *("--continue-on-collection-errors", "-W", "ignore", "--benchmark-disable", "--timeout=120"),
                *("--record-mode=none",),
                *("--disable-socket", "--allow-unix-socket", *(f"--allow-hosts={host}" for host in self.hosts)),
                *(str(_FOLDER / path) for path in paths),
            ],
            cwd=folder,
            env={**os.environ, **settings},
            check=False,
            timeout=1800,
        )
        found: dict[str, str] = json.loads(outcomes.read_text())
        return found


SUITES = (
    Suite("LangChain's unit tests", "langchain-core", "", ["tests/unit_tests"]),
    Suite(
        "LangChain's standard tests",
        "langchain-tests",
        "standard",
        ["standard/tests/unit_tests", "standard/own/chat_models.py"],
        copied=("langchain_tests", "tests"),
        own=Path(__file__).with_name("standard"),
        # That of the mock server, which the tests of ChatOpenAI need.
        hosts=["127.0.0.1"],
    ),
    Suite(
        "langchain-openai's tests",
        "langchain-openai",
        "langchain-openai",
        [
            *("langchain-openai/tests/unit_tests", "langchain-openai/own/langchains_models.py"),
            *(f"langchain-openai/tests/integration_tests/chat_models/test_{name}.py" for name in RECORDED),
        ],
        copied=("tests", "scripts"),
        own=Path(__file__).with_name("standard"),
        hosts=["127.0.0.1"],
        plugin="substitution",
        rewritten=False,
    ),
    Suite(
        "langchain-anthropic's tests",
        "langchain-anthropic",
        "langchain-anthropic",
        ["langchain-anthropic/tests/unit_tests", "langchain-anthropic/own/anthropic_models.py"],
        own=Path(__file__).with_name("standard"),
        hosts=["127.0.0.1"],
        plugin="substitution",
        rewritten=False,
    ),
    Suite(
        "langchain-ollama's tests",
        "langchain-ollama",
        "langchain-ollama",
        ["langchain-ollama/tests/unit_tests"],
        hosts=["127.0.0.1"],
        plugin="substitution",
        rewritten=False,
    ),
    Suite(
        "LangChain's tests of parsers, over those of the integration",
        "langchain-core",
        "parsers",
        ["parsers/tests/unit_tests/output_parsers"],
        plugin="substitution",
        rewritten=False,
    ),
)
