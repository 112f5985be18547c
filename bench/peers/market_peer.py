#!/usr/bin/env python3
"""The service of examples/market as a FastAPI application on aiosqlite: what bench/market_contest.py compares with.

    market_peer.py --database FILE [--port PORT] [--one-query | --plain]

Behaves as skua-market does; tests/examples/market_test.py checks both. Written for speed, with what the libraries offer:
uvicorn with uvloop and httptools, connections that are opened once, one hop to aiosqlite's thread wherever one suffices,
answers that FastAPI does not look through again, ujson. Each commit is synced, as Skua's are.

--one-query answers /api/orders_total with one statement in place of one for each order.
--plain is the same service as the documentation of the libraries would have it written (market_plain.py), on the same server.
"""

import argparse
import asyncio
import re
import socket
import sqlite3

import aiosqlite
import fastapi
import fastapi.exceptions
import pydantic
import starlette.exceptions
import ujson
import uvicorn
from fastapi.responses import HTMLResponse, Response, StreamingResponse

import market_plain
import market_shop as shop

ROWS_PER_CHUNK = 1000
DATE = re.compile(shop.DATE)
FIRST_CUSTOMERS = f"{shop.CUSTOMERS} LIMIT {ROWS_PER_CHUNK + 1}"
ORDERS_TOTAL = """
    SELECT order_id, sum(price * quantity) FROM order_items JOIN item ON item.id = item_id
    WHERE order_id IN (SELECT value FROM json_each(?)) GROUP BY order_id"""


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Database:
    """A connection for short reads, one for writes, one for snapshots; streams open their own."""

    def __init__(self, file):
        self.file = file
        self.writing = asyncio.Lock()
        self.in_snapshot = asyncio.Lock()

    async def open(self):
        self.reader = await self.connect(isolation_level=None)
        self.snapshots = await self.connect(isolation_level=None)
        self.writer = await self.connect()

    async def connect(self, **options):
        connection = await aiosqlite.connect(self.file, **options)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            await connection.execute_fetchall(f"PRAGMA {pragma}")
        return connection

    async def close(self):
        for connection in (self.reader, self.snapshots, self.writer):
            await connection.close()


app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
database = None
in_one_query = False


def answer(value, status=200):
    return Response(ujson.dumps(value, escape_forward_slashes=False), status, media_type="application/json")


async def read_body(request, model):
    chunks, size = [], int(request.headers.get("content-length", 0))
    if size > shop.BODY_BYTES_MAX:
        raise Refused(413, f"the body may have {shop.BODY_BYTES_MAX} bytes")
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > shop.BODY_BYTES_MAX:
            raise Refused(413, f"the body may have {shop.BODY_BYTES_MAX} bytes")
        chunks.append(chunk)
    try:
        return model.parse_obj(ujson.loads(b"".join(chunks)))
    except (pydantic.ValidationError, ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not as it should be: {error}") from error


@app.get("/")
async def page():
    return HTMLResponse(shop.PAGE)


@app.get("/api/customers")
async def customers():
    # One hop for a table that fits into a chunk.
    rows = await database.reader.execute_fetchall(FIRST_CUSTOMERS)
    if len(rows) <= ROWS_PER_CHUNK:
        return answer([shop.customer_object(row) for row in rows])
    return StreamingResponse(customer_chunks(), media_type="application/json")


async def customer_chunks():
    async with aiosqlite.connect(database.file) as connection, connection.execute(shop.CUSTOMERS) as cursor:
        start = "["
        while rows := await cursor.fetchmany(ROWS_PER_CHUNK):
            objects = ujson.dumps([shop.customer_object(row) for row in rows], escape_forward_slashes=False)
            yield start + objects[1:-1]
            start = ","
        yield "]"


@app.get("/api/orders/{customer}")
async def orders(customer: int = fastapi.Path(**shop.INTEGER)):
    return answer([shop.order_object(row) for row in await database.reader.execute_fetchall(shop.ORDERS, (customer,))])


@app.get("/api/order_total/{order}")
async def order_total(order: int = fastapi.Path(**shop.INTEGER)):
    ((total,),) = await database.reader.execute_fetchall(shop.ORDER_TOTAL, (order,))
    return answer({"order": order, "total": total})


@app.api_route("/api/orders_total", methods=["GET", "POST"])
async def orders_total(request: fastapi.Request):
    numbers = (await read_body(request, shop.Orders)).orders
    if in_one_query:
        totals = dict(await database.reader.execute_fetchall(ORDERS_TOTAL, (ujson.dumps(numbers),)))
        return answer([{"order": number, "total": totals.get(number)} for number in numbers])
    connection = database.snapshots
    async with database.in_snapshot:
        # All are in the queue of aiosqlite's thread at once, and done in this order.
        _, *totals, _ = await asyncio.gather(
            connection.execute_fetchall("BEGIN"),
            *(connection.execute_fetchall(shop.ORDER_TOTAL, (number,)) for number in numbers),
            connection.commit(),
        )
    return answer([{"order": number, "total": total} for number, ((total,),) in zip(numbers, totals)])


@app.get("/api/orders_between_dates/{before}/{after}")
async def orders_between_dates(before: str, after: str):
    moments = []
    for text in (before, after):
        if not DATE.fullmatch(text):
            raise Refused(422, f"{text}: a date is YYYY-MM-DD or YYYY-MM-DDThh:mm:ss")
        moments.append(text.replace("T", " "))
    return answer([shop.order_object(row) for row in await database.reader.execute_fetchall(shop.ORDERS_BETWEEN, moments)])


@app.post("/api/add_new_order")
async def add_new_order(request: fastapi.Request):
    new = await read_body(request, shop.NewOrder)
    connection, what = database.writer, "customer"
    async with database.writing:
        try:
            # The first statement begins the transaction.
            (order,) = await connection.execute_insert(shop.INSERT_ORDER, (new.customer,))
            what = "item"
            await connection.executemany(shop.INSERT_LINE, [(order, line.item, line.quantity) for line in new.items])
            await connection.commit()
        except sqlite3.IntegrityError as error:
            await connection.rollback()
            raise Refused(400, shop.refusal(error, what)) from error
        except BaseException:
            await connection.rollback()
            raise
    return answer({"order": order}, 201)


@app.exception_handler(Refused)
async def on_refused(_, error):
    return answer({"error": str(error)}, error.status)


@app.exception_handler(fastapi.exceptions.RequestValidationError)
async def on_invalid(_, error):
    return answer({"error": "; ".join(one["msg"] for one in error.errors())}, 422)


@app.exception_handler(starlette.exceptions.HTTPException)
async def on_http_error(_, error):
    return answer({"error": error.detail}, error.status_code)


async def serve(arguments):
    global database, in_one_query
    in_one_query = arguments.one_query
    database = Database(arguments.database)
    await database.open()
    await listen(app, arguments.port)
    await database.close()


async def serve_plain(arguments):
    market_plain.database_file = arguments.database
    await listen(market_plain.app, arguments.port)


async def listen(application, port):
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    print(f"Listening on http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    # As long as skua-market keeps a connection that is not used.
    config = uvicorn.Config(application, http="httptools", access_log=False, log_level="warning", timeout_keep_alive=30)
    await uvicorn.Server(config).serve(sockets=[listener])


def main():
    parser = argparse.ArgumentParser(description="The market's service with FastAPI and aiosqlite.")
    parser.add_argument("--database", required=True, help="a file with the tables of samples/market.sql")
    parser.add_argument("--port", type=int, default=0, help="0: any (default)")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--one-query", action="store_true", help="answer /api/orders_total with one statement")
    way.add_argument("--plain", action="store_true", help="the service as the documentation has such things written")
    arguments = parser.parse_args()
    uvicorn.Config(app, loop="uvloop").setup_event_loop()
    asyncio.run(serve_plain(arguments) if arguments.plain else serve(arguments))


if __name__ == "__main__":
    main()
