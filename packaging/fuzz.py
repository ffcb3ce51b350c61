"""Runs each fuzz target for a while: ``python packaging/fuzz.py SECONDS [TARGET]…``.

The seeds are made of the test vectors. cargo-fuzz is needed (``cargo install cargo-fuzz``), a nightly toolchain is not:
without ``unsafe`` code there is nothing for the address sanitizer.
"""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "fuzz"


def main(seconds: int, targets: list[str]) -> int:
    """Run the targets one after the other; return 1 if one found something."""
    subprocess.run([sys.executable, "seeds.py", "target/seeds"], cwd=FOLDER, check=True)
    known = sorted(path.stem for path in (FOLDER / "fuzz_targets").glob("*.rs"))
    before = artifacts()
    failed = [target for target in targets or known if not run(target, seconds)]
    print(f"fuzz: {'found something: ' + ', '.join(failed) if failed else 'nothing found'}")
    for path in sorted(artifacts() - before):
        print(f"fuzz: fuzz/{path.relative_to(FOLDER)}")
    return 1 if failed else 0


def artifacts() -> set[Path]:
    """Return the inputs that targets have failed on."""
    return {path for path in (FOLDER / "artifacts").rglob("*") if path.is_file()}


def run(target: str, seconds: int) -> bool:
    """Run one target; return whether it found nothing."""
    print(f"--- {target}, {seconds} s", flush=True)
    corpus = FOLDER / "target" / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    folders = [corpus, *filter(Path.exists, (FOLDER / "target" / "seeds" / target, FOLDER / "corpus" / target))]
    command = ["cargo", "fuzz", "run", "--sanitizer", "none", target, *folders]
    options = [f"-max_total_time={seconds}", "-verbosity=0", "-print_final_stats=1"]
    done = subprocess.run(
        [*command, "--", *options], cwd=FOLDER, env=os.environ | {"RUSTC_BOOTSTRAP": "1"}, check=False
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
