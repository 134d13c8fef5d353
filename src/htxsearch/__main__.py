"""`python -m htxsearch` is `htxsearch`."""

from htxsearch.cli.main import main

main()
