"""Typed text to engine nodes: parsing, filters, spelling, expansion, completion."""
