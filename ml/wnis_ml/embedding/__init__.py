"""Sentences as vectors: all-MiniLM-L6-v2 on onnxruntime, its ONNX file made here from the published weights."""
