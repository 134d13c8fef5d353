"""The same search over HTTP: an API for programs, pages for people. Needs the extra `web`.

Nothing here searches, and nothing but `app` knows the server; see docs/serve.md.
"""
