"""The connectors that ship with the hub. Each is a stranger to the others and sees only `hub.sdk`."""
