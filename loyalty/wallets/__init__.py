"""Makes things: pure, offline, holds keys."""
