"""商品: listings of every channel, products and variants of the catalogue source, and which belongs to which."""

from hub.commerce.products.match import Ref, match, names_of
from hub.commerce.products.store import Merge, Stored, store

__all__ = ["Merge", "Ref", "Stored", "match", "names_of", "store"]
