"""The cost of imports above the bare interpreter: CPU time and memory, each in a process of its own."""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import millstream

__all__ = ("IMPORTS", "Startup", "startups")

IMPORTS: dict[str, str] = {
    "millstream": "from millstream import OpenAI",
    "base": "import asyncio, ssl, orjson",
    "millstream-httpx2": "from millstream import OpenAI; import httpx2",
    "httpx2": "import httpx2",
    "openai": "from openai import OpenAI",
    "langchain": "from langchain_openai import OpenAI",
    **{
        f"{key}-{at}": statement.format(module)
        for at, statement in (
            ("import", "from {} import ChatOpenAI"),
            ("first", "from {} import ChatOpenAI; ChatOpenAI(api_key='none')"),
        )
        for key, module in (("existing", "langchain_openai"), ("changed", "millstream.integrations.langchain"))
    },
    "accelerate": "from millstream.integrations.openai import accelerate",
    "httpx-sse": "import httpx_sse",
    "changed-httpx-sse": "import millstream.integrations.httpx_sse",
}
"""The imports; the second one is what a program has loaded by its first request."""

_CHILD = """
import time
try:
    {statement}
except ModuleNotFoundError:
    raise SystemExit(3)
spent = time.process_time_ns()
try:
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
except OSError:
    import resource, sys
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
print(spent, peak)
"""


@dataclass(frozen=True)
class Startup:
    """The cost of one import above the bare interpreter: the medians of several processes."""

    key: str
    statement: str
    milliseconds: float
    megabytes: float


def startups(times: int) -> Iterator[Startup]:
    """Yield the cost of each import whose package is installed; ``times`` processes each, in turns."""
    statements = {"bare": "pass", **IMPORTS}
    # The first run of each writes what Python caches, and shows what is not installed.
    known = {key: statement for key, statement in statements.items() if _run(statement) is not None}
    runs = [{key: _run(statement) for key, statement in known.items()} for _ in range(times)]
    bare = _median([run["bare"] for run in runs])
    for key, statement in known.items():
        if key != "bare":
            spent, peak = _median([run[key] for run in runs])
            yield Startup(key, statement, (spent - bare[0]) / 1e6, (peak - bare[1]) / 1024)


def _median(samples: list[tuple[int, int] | None]) -> tuple[float, float]:
    found = [sample for sample in samples if sample is not None]
    return statistics.median(spent for spent, _ in found), statistics.median(peak for _, peak in found)


def _run(statement: str) -> tuple[int, int] | None:
    """Return the CPU nanoseconds and the kilobytes at the peak of a process that runs ``statement``."""
    home = str(Path(millstream.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-c", _CHILD.format(statement=statement)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    if done.returncode == 3:
        return None
    if done.returncode:
        raise RuntimeError(f"{statement!r} failed:\n{done.stderr}")
    spent, peak = done.stdout.split()
    return int(spent), int(peak)
