"""Question answering: from a question and its nearest passages to one answer.

The steps: analyse the question, score the spans of the nearest passages, resolve the best ones to one answer.
"""
