"""Articles into the index: documents and the data derived from them.

Derived data are feature vectors, reprints, embeddings, catalogue and manifest. Workers share the work.
"""
