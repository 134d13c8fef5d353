"""From the user's files to articles: which files there are, how each type is read, what the user adds.

Bad input is data: whatever cannot be read becomes a `Rejected` with a reason, and the run goes on.
"""
