"""A small run carried to the size of production."""
