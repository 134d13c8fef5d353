"""The reader: a small neural model that marks the span that answers a question."""
