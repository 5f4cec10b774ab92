"""Mapping files, one folder per channel: data, found by the engine as `mappings/<code>/<kind>.yaml`."""
