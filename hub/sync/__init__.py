"""The sync engine: pull, apply, push, reconcile, and the rules between two writers."""
