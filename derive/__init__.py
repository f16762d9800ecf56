"""Derives matrix gradients to their textbook form, checks them, and grades LaTeX answers against them."""

__version__ = "0.1.0"
