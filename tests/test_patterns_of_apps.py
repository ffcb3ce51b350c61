"""Code that applications write for LangChain shows the same values in Millstream, once its imports are replaced."""

import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "patterns"
PAGES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
# Texts that tell the libraries, their releases and two runs apart.
OWN_WORDS = re.compile(
    r"\\nFor troubleshooting, visit: [^ ]+ ?|127\.0\.0\.1:\d+| at 0x[0-9a-f]+|langchain_core\.|millstream\."
)

Pattern = Callable[[Callable[..., None]], None]


def load(page: str, replaced: bool) -> ModuleType:
    """Run a page of patterns as a module, with the imports of LangChain replaced or as they are."""
    path = FOLDER / f"{page}.py"
    text = path.read_text()
    if replaced:
        text = re.sub(r"\blangchain_(core|openai)\b", "millstream", text)
    module = ModuleType(f"patterns.{page}.{'millstream' if replaced else 'langchain'}")
    sys.modules[module.__name__] = module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, str(path), "exec"), vars(module))
    return module


LANGCHAIN = {page: load(page, replaced=False) for page in PAGES}
MILLSTREAM = {page: load(page, replaced=True) for page in PAGES}
PATTERNS = [
    (page, name)
    for page, module in LANGCHAIN.items()
    for name, value in vars(module).items()
    if isinstance(value, FunctionType) and value.__code__.co_varnames[:1] == ("show",)
]


def shown_by(pattern: Pattern) -> list[str]:
    """Return what a pattern shows, a line for each call."""
    lines: list[str] = []

    def show(*values: Any) -> None:
        lines.append(OWN_WORDS.sub("", " ".join(map(repr, values))))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pattern(show)
    return lines


@pytest.mark.parametrize(("page", "name"), PATTERNS)
def test_an_application_sees_what_langchain_shows(page: str, name: str) -> None:
    theirs = shown_by(getattr(LANGCHAIN[page], name))
    assert theirs
    assert shown_by(getattr(MILLSTREAM[page], name)) == theirs


def test_the_pages_are_loaded_in_both_libraries() -> None:
    assert len(PATTERNS) > 40
    for page in PAGES:
        assert [
            name for name, value in vars(MILLSTREAM[page]).items() if "langchain" in getattr(value, "__module__", "")
        ] == []
