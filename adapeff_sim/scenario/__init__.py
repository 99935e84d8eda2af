"""The story of a product as a file: read, understood, and checked before anything trains."""
