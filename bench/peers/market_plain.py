"""The service of examples/market as the documentation of FastAPI and aiosqlite shows how to write one; `market_peer.py --plain`
serves it.

Bodies are models in the signatures of the handlers, FastAPI makes JSON of what they return, each request has a connection of
its own, and rows are taken with `async for`. What is not in an introduction is there because the service must do the same as the
others: bodies have a limit, bodies that are wrong are a 400, and an error is {"error": ...}. Nothing is slow on purpose. Must be
given its `database_file` before it is served.
"""

import asyncio
import json

import aiosqlite
import market_shop as shop
from fastapi import FastAPI, HTTPException, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as StarletteHTTPException

database_file = None
app = FastAPI()


class LimitedRequest(Request):
    async def body(self):
        if not hasattr(self, "_body"):
            chunks, size = [], 0
            async for chunk in self.stream():
                size += len(chunk)
                if size > shop.BODY_BYTES_MAX:
                    raise HTTPException(413, f"the body may have {shop.BODY_BYTES_MAX} bytes")
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body


class LimitedRoute(APIRoute):
    """FastAPI's documentation: Custom Request and APIRoute class."""

    def get_route_handler(self):
        handler = super().get_route_handler()

        async def handle(request):
            return await handler(LimitedRequest(request.scope, request.receive))

        return handle


app.router.route_class = LimitedRoute


def connect():
    # The writers of SQLite do not queue: they poll for so many seconds, and the default of five is too few for the unlucky.
    connection = aiosqlite.connect(database_file, timeout=30)
    # A client that leaves while a connection is being opened for its stream leaves the thread behind: no reason not to end.
    connection.daemon = True
    return connection


@app.on_event("startup")
async def open_log():
    # One connection stays open: the last one that is closed moves the log into the database and removes it, which with a
    # connection for each request might happen after each of them.
    app.state.first = await connect()
    await app.state.first.executescript("PRAGMA journal_mode = WAL")


@app.on_event("shutdown")
async def close_log():
    await app.state.first.close()


@app.get("/", response_class=HTMLResponse)
async def page():
    return shop.PAGE


@app.get("/api/customers")
async def customers():
    return StreamingResponse(customer_rows(), media_type="application/json")


async def customer_rows():
    async with connect() as db, db.execute(shop.CUSTOMERS) as cursor:
        separator = "["
        async for row in cursor:
            yield separator + json.dumps(shop.customer_object(row))
            separator = ","
        yield "]" if separator == "," else "[]"


@app.get("/api/orders/{customer}")
async def orders(customer: int = Path(**shop.INTEGER)):
    async with connect() as db, db.execute(shop.ORDERS, (customer,)) as cursor:
        return [shop.order_object(row) async for row in cursor]


async def total_of(db, order):
    async with db.execute(shop.ORDER_TOTAL, (order,)) as cursor:
        (total,) = await cursor.fetchone()
    return {"order": order, "total": total}


@app.get("/api/order_total/{order}")
async def order_total(order: int = Path(**shop.INTEGER)):
    async with connect() as db:
        return await total_of(db, order)


@app.get("/api/orders_total")
@app.post("/api/orders_total")
async def orders_total(wanted: shop.Orders):
    async with connect() as db:
        # One state of the database for all queries, which can only be had on one connection: its thread takes them one after the
        # other. On a connection each they would run at once, and see as many states.
        await db.execute("BEGIN")
        return await asyncio.gather(*(total_of(db, order) for order in wanted.orders))


@app.get("/api/orders_between_dates/{before}/{after}")
async def orders_between_dates(before: str = Path(regex=f"^{shop.DATE}$"), after: str = Path(regex=f"^{shop.DATE}$")):
    moments = (before.replace("T", " "), after.replace("T", " "))
    async with connect() as db, db.execute(shop.ORDERS_BETWEEN, moments) as cursor:
        return [shop.order_object(row) async for row in cursor]


@app.post("/api/add_new_order", status_code=201)
async def add_new_order(new: shop.NewOrder):
    async with connect() as db:
        # Syncing each commit is SQLite's default, and said here because it matters.
        await db.executescript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        what = "customer"
        try:
            async with db.execute(shop.INSERT_ORDER, (new.customer,)) as cursor:
                order = cursor.lastrowid
            what = "item"
            await db.executemany(shop.INSERT_LINE, [(order, line.item, line.quantity) for line in new.items])
            await db.commit()
        except aiosqlite.IntegrityError as error:
            # What is not committed is rolled back when the connection is closed.
            raise HTTPException(400, shop.refusal(error, what)) from error
    return {"order": order}


@app.exception_handler(RequestValidationError)
async def on_invalid(_, error):
    status = 400 if error.errors()[0]["loc"][0] == "body" else 422
    return JSONResponse({"error": "; ".join(one["msg"] for one in error.errors())}, status)


@app.exception_handler(StarletteHTTPException)
async def on_http_error(_, error):
    return JSONResponse({"error": error.detail}, error.status_code)
