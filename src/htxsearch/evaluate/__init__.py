"""Measure how good and how fast htxsearch is.

Judged sets, floors, and benchmarks beside other engines.
judged       a judged set in BEIR form, and its index
forms        its queries without diacritics, in Telex, as keywords
folds        which model has never seen the documents of a question
ranking      measures of rankings, answers of answers, extraction of main content
runs         their outcomes, saved and compared
floors       the left-out figures that must not fall
bench/       speed, memory and index size
"""
