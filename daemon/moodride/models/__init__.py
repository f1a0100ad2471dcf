"""Which networks there are, and how those that others publish get here."""
