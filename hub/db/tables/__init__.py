"""All tables. Primary keys are `(merchant_id, …)` without exception, so the data can be split by merchant."""

from hub.db.tables.canonical import CANONICAL, columns_of, table_of
from hub.db.tables.engine import ENGINE
from hub.db.tables.meta import metadata

__all__ = ["CANONICAL", "ENGINE", "columns_of", "metadata", "table_of"]
