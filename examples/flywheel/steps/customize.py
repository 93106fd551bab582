"""Trains a classifier (naive Bayes) with the client's interactions: the adapter of this example's models."""

import collections

import flywheel


def main():
    pairs = flywheel.read(flywheel.scratch("train.json"))
    words = collections.defaultdict(collections.Counter)
    for text, intent in pairs:
        words[intent].update(text.lower().split())
    counts = collections.Counter(intent for _, intent in pairs)
    path = flywheel.scratch("adapter.json")
    flywheel.write(path, {"words": words, "vocabulary": len({word for counter in words.values() for word in counter}),
                          "priors": {intent: count / len(pairs) for intent, count in counts.items()}})
    flywheel.result({"adapter": path, "trained_with": len(pairs)})


main()
