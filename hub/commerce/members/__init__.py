"""会员: people as channels know them, one member however many channels."""

from hub.commerce.members.store import store

__all__ = ["store"]
