"""库存: an append-only ledger, the level that is its sum, and what each channel should show."""

from hub.commerce.stock.count import Count, Place, link_places, open_counts, places_of
from hub.commerce.stock.explain import explain
from hub.commerce.stock.ledger import Book, Entry, Level, open_book, prove
from hub.commerce.stock.publish import Audience, Shown, shown, shown_everywhere
from hub.commerce.stock.settle import Claim, settle, take_back

__all__ = [
    "Audience",
    "Book",
    "Claim",
    "Count",
    "Entry",
    "Level",
    "Place",
    "Shown",
    "explain",
    "link_places",
    "open_book",
    "open_counts",
    "places_of",
    "prove",
    "settle",
    "shown",
    "shown_everywhere",
    "take_back",
]
