"""Writes down the recording, word by word: each is the learned word that sounds most like it."""

import json

import speech

UNKNOWN = 0.65  # mean distance from which on a word is taken for none of the learned ones


def main():
    learned = []
    for lesson in speech.values()["lessons"]:
        with open(lesson["lesson"], encoding="utf-8") as file:
            learned += json.load(file)
    heard = []
    for first, end, frames in speech.words(speech.read(speech.scratch("clean.wav"))):
        best = min(learned, key=lambda candidate: speech.distance(frames, candidate["frames"]))
        distance = speech.distance(frames, best["frames"])
        heard.append({"word": best["word"] if distance < UNKNOWN else "…", "start": first / speech.RATE,
                      "end": end / speech.RATE, "distance": round(distance, 3)})
    if not heard:
        raise SystemExit("the recording is silent")
    speech.result({"text": " ".join(word["word"] for word in heard), "words": heard})


main()
