"""The repository looks at itself: what no reviewer should have to look for by hand."""
