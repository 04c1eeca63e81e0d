"""Our nouns <-> the world's shapes: pure functions, no clock, no network."""
