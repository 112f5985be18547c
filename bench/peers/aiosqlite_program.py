"""What a Python program does with aiosqlite: the contestant's side of bench/peers/aiosqlite_peer.h.

    aiosqlite_program.py point FILE SEED ROWS     each line of the input: so many selects of one row by a random key
    aiosqlite_program.py stream FILE SQL          each line of the input: once all rows, by `async for`

Writes one line for the start ("ready"), and one for each line of the input: the microseconds of CPU it took, and then
either the nanoseconds of each select, or the nanoseconds, the number of rows and the sum of their first values.
"""

import asyncio
import random
import sys
import time

import aiosqlite

SELECT = "SELECT id, name, price, stock FROM point WHERE id = ?"


async def point(database, requests, keys, rows):
    latencies = []
    for _ in range(requests):
        key = keys.randint(1, rows)
        begin = time.perf_counter_ns()
        # One hop to aiosqlite's thread; execute(), fetchone() and close() would be three.
        ((number, name, price, stock),) = await database.execute_fetchall(SELECT, (key,))
        latencies.append(time.perf_counter_ns() - begin)
        if number != key or price != key * 0.25 or stock != key * 7 or name != f"item number {key}":
            sys.exit("a wrong row")
    return latencies


async def stream(database, sql):
    # Every value becomes a Python object, and no more is done with it: what is measured is aiosqlite.
    begin = time.perf_counter_ns()
    rows = first_values = 0
    async with database.execute(sql) as cursor:
        async for number, _, _, _ in cursor:
            rows += 1
            first_values += number
    return [time.perf_counter_ns() - begin, rows, first_values]


async def main():
    what, file = sys.argv[1:3]
    async with aiosqlite.connect(file) as database:
        keys = random.Random(sys.argv[3])
        print("ready", flush=True)
        for line in sys.stdin:
            begin = time.process_time()
            if what == "point":
                numbers = await point(database, int(line), keys, int(sys.argv[4]))
            else:
                numbers = await stream(database, sys.argv[3])
            cpu_us = round((time.process_time() - begin) * 1e6)
            print(cpu_us, *numbers, flush=True)


asyncio.run(main())
