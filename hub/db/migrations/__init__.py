"""Numbered schema changes; applied by `hub.db.migrate`."""
