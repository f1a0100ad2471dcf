"""The tracks, where they come from, and what is known of them."""
