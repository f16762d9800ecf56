"""Benchmarks: how long deriving takes, and how it compares with others; see README.md."""
