"""Answers to questions: what kind is asked for, the spans that could be it, and which one is."""
