"""What both peers of examples/market know of the shop: its queries, the bodies it takes, what it refuses. Plain data."""

import pydantic

BODY_BYTES_MAX = 1 << 20
ORDERS_MAX = 1000
LINES_MAX = 100
INTEGER = {"ge": -(2**63), "le": 2**63 - 1}
DATE = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2})?"
PAGE = """<!doctype html><title>Market</title><h1>Market</h1><p>The peer of examples/market: the same paths below /api."""

CUSTOMERS = """
    SELECT customer.id, name, flat_number, post_code
    FROM customer LEFT JOIN address ON address.id = address_id ORDER BY customer.id"""
ORDERS = "SELECT id, customer_id, order_time FROM orders WHERE customer_id = ? ORDER BY id"
ORDERS_BETWEEN = """
    SELECT id, customer_id, order_time FROM orders WHERE order_time < ? AND order_time >= ? ORDER BY order_time, id"""
ORDER_TOTAL = """
    SELECT sum(price * quantity) FROM order_items JOIN item ON item.id = item_id WHERE order_id = ?"""
INSERT_ORDER = "INSERT INTO orders (customer_id) VALUES (?)"
INSERT_LINE = "INSERT INTO order_items (order_id, item_id, quantity) VALUES (?, ?, ?)"


class Line(pydantic.BaseModel):
    item: pydantic.conint(strict=True, **INTEGER)
    quantity: pydantic.conint(strict=True, **INTEGER) = 1


class NewOrder(pydantic.BaseModel):
    customer: pydantic.conint(strict=True, **INTEGER)
    items: pydantic.conlist(Line, min_items=1, max_items=LINES_MAX)


class Orders(pydantic.BaseModel):
    orders: pydantic.conlist(pydantic.conint(strict=True, **INTEGER), max_items=ORDERS_MAX)


def customer_object(row):
    number, name, flat_number, post_code = row
    address = None if flat_number is None else {"flat_number": flat_number, "post_code": post_code}
    return {"id": number, "name": name, "address": address}


def order_object(row):
    return {"id": row[0], "customer": row[1], "order_time": row[2]}


def refusal(error, what):
    """Of an sqlite3.IntegrityError, for who knows the shop and not the tables. `what` was to be inserted or referred to."""
    return {
        "SQLITE_CONSTRAINT_FOREIGNKEY": f"there is no such {what}",
        "SQLITE_CONSTRAINT_PRIMARYKEY": "an item stands in an order once",
        "SQLITE_CONSTRAINT_CHECK": "a quantity is at least 1",
    }.get(error.sqlite_errorname, str(error))
