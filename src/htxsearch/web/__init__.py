"""The search over HTTP: an API for programs, pages for people.

Needs the extra `web`; see docs/serve.md. Nothing here searches or ranks, and only `app` and `server` know the server.
"""
