"""Loads the rows in one transaction; an order that is there already is replaced by itself."""

import json
import os
import sqlite3


def main():
    with open(os.environ["BATON_INPUT"], encoding="utf-8") as file:
        values = json.load(file)
    path = os.path.abspath(values["warehouse"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    warehouse = sqlite3.connect(path, timeout=30)
    with warehouse:
        warehouse.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, day TEXT NOT NULL, cents INTEGER NOT NULL)")
        warehouse.executemany("INSERT OR REPLACE INTO orders VALUES (:id, :day, :cents)", values["rows"])
    (count, cents), = warehouse.execute("SELECT count(*), sum(cents) FROM orders")
    warehouse.close()
    with open(os.environ["BATON_RESULT"], "w", encoding="utf-8") as file:
        json.dump({"loaded": len(values["rows"]), "orders": count, "cents": cents}, file)


main()
