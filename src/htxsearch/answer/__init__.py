"""Question answering: analyse a question, score the spans of the nearest passages, resolve the best to one answer."""
