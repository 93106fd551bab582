#!/usr/bin/python3
"""make_logs.py NEW_FILE: 600 logged interactions of a customer service, as OpenAI chat completions, some damaged; the same
every time."""

import json
import random
import sys

PHRASES = {
    "refund": ["i want my money back", "please return my payment", "the charge is wrong", "refund the order please",
               "you billed me twice", "i would like a reimbursement"],
    "repair": ["the screen is broken", "it does not start any more", "the button fell off", "my device makes a noise",
               "can somebody fix it", "the battery is dead after a day"],
    "delivery": ["where is my parcel", "it did not arrive", "when do you deliver", "the courier was not here",
                 "my shipment is late", "track my package please"],
}
FILLERS = ["hello", "good morning", "since monday", "again", "really", "thank you", "as i wrote before", "urgent", "sorry"]


def main():
    chance = random.Random(20)
    with open(sys.argv[1], "x", encoding="utf-8") as file:
        for number in range(600):
            intent = chance.choice(sorted(PHRASES))
            text = " ".join([chance.choice(FILLERS), chance.choice(PHRASES[intent]), chance.choice(FILLERS)])
            entry = {"workload_id": "customer-service", "client_id": "shop" if number % 5 else "other",
                     "request": {"messages": [{"role": "user", "content": text}]},
                     "response": {"choices": [{"message": {"role": "assistant", "content": intent}}]}}
            if number % 50 == 7:
                del entry["response"]
            file.write(json.dumps(entry) + "\n")


main()
