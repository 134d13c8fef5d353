"""Articles into the index: documents, feature vectors, reprints, embeddings, catalogue, manifest, workers."""
