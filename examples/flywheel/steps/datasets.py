"""Makes the two data sets of a client's logged interactions: one to evaluate with, held out, and one to train with."""

import json

import flywheel

MINIMUM = 50


def pair(entry):
    """(what the customer wrote, what they wanted), or None if the entry is not in the format of chat completions."""
    try:
        return entry["request"]["messages"][-1]["content"], entry["response"]["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return None


def main():
    values = flywheel.values()
    pairs, damaged = [], 0
    with open(values["logs"], encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            if (entry.get("workload_id"), entry.get("client_id")) != (values["workload"], values["client"]):
                continue
            found = pair(entry)
            if found:
                pairs.append(found)
            else:
                damaged += 1
    if len(pairs) < MINIMUM:
        raise SystemExit(f"{len(pairs)} usable interactions of {values['client']}; {MINIMUM} are needed")
    evaluate, train = pairs[::4], [p for number, p in enumerate(pairs) if number % 4]
    flywheel.write(flywheel.scratch("evaluate.json"), evaluate)
    flywheel.write(flywheel.scratch("train.json"), train)
    flywheel.result({"evaluate": len(evaluate), "train": len(train), "damaged": damaged})


main()
