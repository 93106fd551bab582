"""Learns how the words of a vocabulary sound: has them read by another voice than the recording's."""

import os
import subprocess

import speech

VOICES = {"english": "en-us", "spanish": "es"}


def main():
    language = speech.values()["language"]
    with open(f"vocabulary/{language}.txt", encoding="utf-8") as file:
        vocabulary = file.read().split()
    spoken, cleaned = speech.scratch(f"lesson-{language}.wav"), speech.scratch(f"lesson-{language}-clean.wav")
    subprocess.run(["espeak-ng", "-v", VOICES[language], "-s", "150", "-g", "30", "-w", spoken, ", ".join(vocabulary)],
                   check=True)
    subprocess.run(["sox", spoken, "-R", "-D", "-b", "16", cleaned, "gain", "-6", "highpass", "80", "rate", "8000",
                    "channels", "1", "norm", "-3"], check=True)
    heard = speech.words(speech.read(cleaned))
    if len(heard) != len(vocabulary):
        raise SystemExit(f"{language}: {len(vocabulary)} words were read and {len(heard)} heard; one has a pause in it")
    lesson = speech.scratch(f"lesson-{language}.json")
    speech.write(lesson, [{"word": word, "frames": frames} for word, (_, _, frames) in zip(vocabulary, heard)])
    for path in (spoken, cleaned):
        os.unlink(path)
    speech.result({"language": language, "words": len(vocabulary), "lesson": lesson})


main()
