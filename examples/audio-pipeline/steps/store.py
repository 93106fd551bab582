"""Stores the result in SQLite, under the run's id: a repeated attempt replaces what an earlier one stored."""

import json
import os
import sqlite3

import speech


def main():
    values = speech.values()
    database = os.path.abspath(values["database"])
    os.makedirs(os.path.dirname(database), exist_ok=True)
    connection = sqlite3.connect(database, timeout=30)
    with connection:  # one transaction
        connection.execute("CREATE TABLE IF NOT EXISTS recordings"
                           " (run TEXT PRIMARY KEY, language TEXT, transcript TEXT, text TEXT, analysis TEXT)")
        connection.execute("INSERT OR REPLACE INTO recordings VALUES (?, ?, ?, ?, ?)",
                           (values["run"], values["language"], values["transcript"], values["analysis"]["text"],
                            json.dumps(values["analysis"], ensure_ascii=False)))
    stored = connection.execute("SELECT count(*) FROM recordings").fetchone()[0]
    connection.close()
    speech.result({"database": database, "recordings": stored})


main()
