"""``python -m millstream``: the command ``millstream``."""

from .cli import main

raise SystemExit(main())
