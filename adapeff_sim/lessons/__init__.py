"""Lessons: one surprise each, with a question before a run and an answer whose numbers are taken from it."""
