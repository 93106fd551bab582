"""Sorts out what is no order, and converts the rest to euros."""

import json
import os


def reason_against(order, rates):
    if not {"id", "day", "amount", "currency"} <= set(order):
        return "incomplete"
    if order["currency"] not in rates:
        return "unknown currency"
    return "negative amount" if order["amount"] < 0 else None


def main():
    with open(os.environ["BATON_INPUT"], encoding="utf-8") as file:
        values = json.load(file)
    rows, rejected = [], []
    for order in (order for page in values["orders"] for order in page):
        reason = reason_against(order, values["rates"])
        if reason:
            rejected.append({"id": order.get("id"), "reason": reason})
        else:
            cents = round(order["amount"] * 100 / values["rates"][order["currency"]])
            rows.append({"id": order["id"], "day": order["day"], "cents": cents})
    print(f"{len(rows)} orders, {len(rejected)} rejected")
    with open(os.environ["BATON_RESULT"], "w", encoding="utf-8") as file:
        json.dump({"rows": rows, "rejected": rejected}, file)


main()
