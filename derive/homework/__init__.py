"""Homework from end to end: submissions read, graded, marked and reported."""
