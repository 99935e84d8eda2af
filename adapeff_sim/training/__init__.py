"""The only rooms that know torch: build one artifact, evaluate one route, measure it."""
