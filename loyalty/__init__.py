"""Digital stamp and points cards for shops. Importing this package loads nothing."""
