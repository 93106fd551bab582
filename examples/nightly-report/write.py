"""Writes the report from the queries' rows."""

import json
import os


def euros(cents):
    return f"{cents // 100:,}.{cents % 100:02d} €"


def report(day, revenue, products, late):
    change = revenue["cents"] - revenue["cents_before"]
    yield f"# {day}"
    yield ""
    yield f"{revenue['orders']} orders, {euros(revenue['cents'])}"
    yield f"({'+' if change >= 0 else '−'}{euros(abs(change))} against the day before)."
    yield ""
    yield "| product | pieces | sold for |"
    yield "| --- | ---: | ---: |"
    for row in products:
        yield f"| {row['product']} | {row['pieces']} | {euros(row['cents'])} |"
    if late["orders"]:
        yield ""
        yield f"**{late['orders']} orders wait for more than two days**, the oldest since {late['oldest']}."


def main():
    with open(os.environ["BATON_INPUT"], encoding="utf-8") as file:
        values = json.load(file)
    revenue, late = values["revenue"][0], values["late"][0]
    if revenue["orders"] == 0:  # rather no report than a wrong one
        raise SystemExit(f"there are no orders of {values['day']}")
    lines = report(values["day"], revenue, json.loads(values["products"][0]["products"]), late)
    with open(os.path.join(os.environ["BATON_RUN_DIR"], "report.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.environ["BATON_RESULT"], "w", encoding="utf-8") as file:
        json.dump({"orders": revenue["orders"], "cents": revenue["cents"]}, file)


main()
