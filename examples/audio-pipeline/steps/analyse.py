"""Numbers about an English text."""

import collections
import re

import speech

LITTLE = {"the", "and", "of", "is", "in", "on", "this", "that", "to", "a", "because", "by", "for"}


def main():
    text = speech.values()["text"].strip()
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = collections.Counter(word for word in words if word not in LITTLE)
    top = sorted(counts.items(), key=lambda entry: (-entry[1], -len(entry[0]), entry[0]))[:5]
    speech.result({"text": text, "words": len(words), "distinct": len(set(words)),
                   "mean_length": round(sum(map(len, words)) / max(1, len(words)), 2),
                   "top": [{"word": word, "count": count} for word, count in top]})


main()
