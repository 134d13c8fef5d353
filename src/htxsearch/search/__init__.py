"""Engine nodes to hits: first-stage retrieval, reranking, highlights, related articles."""
