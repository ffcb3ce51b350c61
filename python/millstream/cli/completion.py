"""``millstream completion``: a script that completes command lines."""

import argparse
from collections.abc import Iterable

from .errors import CommandError

__all__ = ("add_arguments", "run")

_INSTALL = """\
Install it once, for new shells:
  bash  millstream completion bash > ~/.local/share/bash-completion/completions/millstream
  zsh   millstream completion zsh > ~/.zfunc/_millstream
        (~/.zfunc must be in $fpath, before compinit runs)
  fish  millstream completion fish > ~/.config/fish/completions/millstream.fish
  tcsh  millstream completion tcsh > ~/.millstream.csh
        (then source ~/.millstream.csh in ~/.tcshrc)

The folder must exist. The extra has what writes the scripts: pip install 'millstream[cli]'.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = "Print a script that completes the commands, options and files of command lines."
    parser.epilog = _INSTALL
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh"), metavar="SHELL", help="bash, zsh, fish, tcsh")


def run(options: argparse.Namespace) -> int:
    """Print the script, and return the exit status."""
    from . import build_parser

    try:
        import shtab
    except ModuleNotFoundError:
        raise CommandError("shtab is not installed", "pip install 'millstream[cli]'") from None
    parser = build_parser()
    for command in _commands(parser):
        for action in command._actions:
            if action.metavar in ("FILE", "PATH"):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, options.shell))
    return 0


def _commands(parser: argparse.ArgumentParser) -> Iterable[argparse.ArgumentParser]:
    actions = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return next(actions).choices.values()
