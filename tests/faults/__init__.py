"""The fault campaign: what a database is tested like, as trials that a seed repeats.

Each module has one class of faults and a function `trial(seed, folder)`; `test_faults.py` runs a few seeds of each,
`scripts/faults` as many as wanted. A trial runs in a process that is forked for it (`runner.py`).
"""
