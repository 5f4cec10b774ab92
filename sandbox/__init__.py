"""Simulated channels, written from the platforms' documents; they share no code with the hub."""
