"""Parameters of organic molecules."""
