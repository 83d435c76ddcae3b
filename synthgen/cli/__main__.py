"""``python -m synthgen.cli`` is the same as the ``synthgen`` script."""

from synthgen.cli import main

main()
