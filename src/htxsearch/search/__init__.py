"""From engine nodes to hits: retrieval, reranking, highlights, related articles.

First-stage retrieval finds the passages that are reranked.
"""
