"""From the user's files to articles: find files, read each type, add new files.

Bad input is data: a file that cannot be read becomes a `Rejected` with a reason, and the run goes on.
"""
