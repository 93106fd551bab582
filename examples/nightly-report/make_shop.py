#!/usr/bin/python3
"""make_shop.py NEW_DATABASE [LAST_DAY]: a shop's orders of ten days, the same every time."""

import datetime
import random
import sqlite3
import sys

PRODUCTS = {"beans, 1 kg": 1890, "beans, 250 g": 590, "filter paper": 349, "grinder": 8900, "kettle": 5450, "mug": 1200,
            "spoon": 450}


def main():
    chance = random.Random(20261120)
    last = datetime.date.fromisoformat(sys.argv[2] if len(sys.argv) > 2 else "2026-11-20")
    with sqlite3.connect(sys.argv[1]) as shop:
        shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, ordered TEXT NOT NULL, product TEXT NOT NULL,"
                     " pieces INTEGER NOT NULL, cents INTEGER NOT NULL, shipped TEXT)")
        for back in reversed(range(10)):
            day = last - datetime.timedelta(days=back)
            for _ in range(chance.randrange(300, 500)):
                product = chance.choice(list(PRODUCTS))
                at = f"{day} {chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}"
                shipped = None if back < 2 or chance.random() < 0.01 else f"{day + datetime.timedelta(days=2)} 08:00:00"
                shop.execute("INSERT INTO orders (ordered, product, pieces, cents, shipped) VALUES (?, ?, ?, ?, ?)",
                             (at, product, chance.randrange(1, 6), PRODUCTS[product], shipped))


main()
