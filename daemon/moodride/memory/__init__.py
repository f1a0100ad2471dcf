"""What outlives the ignition: the resume point and the history."""
