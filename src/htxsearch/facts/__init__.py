"""Figures of a text as typed facts.

A fact has value, unit, qualifier, status, indicator, subject, place, time and span.
"""
