"""Everything Vietnamese: spelling, syllables, words, sentences, dates and places.

Passages and short forms are here, too.

Pure functions over text. Every token is a span into the text it came from. Only `text.segmenter` imports
underthesea, and only when words are asked for; a query never does.
"""
