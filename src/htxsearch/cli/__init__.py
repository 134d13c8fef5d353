"""The command line: a skin over `Index`. stdout is data, stderr is talk.

Exit codes: 0 done; 1 done, but some files were newly rejected; those of `htxsearch.errors` otherwise; 130 Ctrl-C.
"""
