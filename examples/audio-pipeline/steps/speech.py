"""What `learn` and `transcribe` share: from a recording to words, and how much two spoken words differ.

A word is a list of frames, one every 20 ms; a frame is 12 mel-cepstral coefficients (Davis and Mermelstein, 1980).
Two words are compared by dynamic time warping (Sakoe and Chiba, 1978): the recogniser of the 1980s, in the standard
library, for a small vocabulary spoken with short pauses.
"""

import array
import cmath
import json
import math
import os
import wave

RATE = 8000  # what `preprocess` delivers
FRAME = 256  # samples; 32 ms
HOP = 160  # samples; 20 ms
FILTERS, COEFFICIENTS = 22, 12
PAUSE = 7  # frames of silence that end a word; shorter ones are in words, before p, t and k
SHORTEST = 4  # frames; anything shorter is a click

TWIDDLE = {n: [cmath.exp(-2j * math.pi * k / n) for k in range(n // 2)] for n in (2**e for e in range(1, 9))}
WINDOW = [0.54 - 0.46 * math.cos(2 * math.pi * i / (FRAME - 1)) for i in range(FRAME)]


def read(path):
    """The samples of a WAV file with 8000 samples a second, 16 bits, one channel."""
    with wave.open(path) as recording:
        if (recording.getframerate(), recording.getsampwidth(), recording.getnchannels()) != (RATE, 2, 1):
            raise SystemExit(f"{path}: not a WAV file with {RATE} samples a second, 16 bits, one channel")
        samples = array.array("h", recording.readframes(recording.getnframes()))
    return samples


def fourier(values):
    if len(values) == 1:
        return values
    even, odd = fourier(values[0::2]), fourier(values[1::2])
    turned = [t * o for t, o in zip(TWIDDLE[len(values)], odd)]
    return [e + t for e, t in zip(even, turned)] + [e - t for e, t in zip(even, turned)]


def mel_filters():
    """[(first bin, [weights])]: triangles that are equally wide to the ear, from 80 Hz to half the rate."""
    low, high = (2595 * math.log10(1 + f / 700) for f in (80, RATE / 2))
    centres = [700 * (10 ** ((low + (high - low) * i / (FILTERS + 1)) / 2595) - 1) * FRAME / RATE
               for i in range(FILTERS + 2)]
    filters = []
    for left, centre, right in zip(centres, centres[1:], centres[2:]):
        bins = range(math.ceil(left), math.floor(right) + 1)
        filters.append((bins.start, [max(0.0, min((b - left) / (centre - left), (right - b) / (right - centre)))
                                     for b in bins]))
    return filters


MEL = mel_filters()
COSINE = [[math.cos(math.pi * k * (i + 0.5) / FILTERS) for i in range(FILTERS)] for k in range(1, COEFFICIENTS + 1)]


def frame_at(samples, start):
    """(loudness in dB, coefficients) of the frame that begins at this sample."""
    piece = samples[start:start + FRAME]
    emphasised = [0.0] + [b - 0.95 * a for a, b in zip(piece, piece[1:])]
    spectrum = fourier([complex(s * w) for s, w in zip(emphasised, WINDOW)])
    power = [abs(c) ** 2 for c in spectrum[:FRAME // 2 + 1]]
    bands = [math.log(1e3 + sum(w * p for w, p in zip(weights, power[first:]))) for first, weights in MEL]
    loudness = 10 * math.log10(1 + sum(s * s for s in piece) / FRAME)
    return loudness, [sum(c * b for c, b in zip(row, bands)) / FILTERS for row in COSINE]


def words(samples):
    """[(first sample, last sample, frames)]: what stands between pauses."""
    starts = range(0, len(samples) - FRAME + 1, HOP)
    frames = [frame_at(samples, start) for start in starts]
    threshold = max((loudness for loudness, _ in frames), default=0) - 35
    found, current, quiet = [], [], 0
    for number, (loudness, _) in enumerate(frames + [(-1, None)] * PAUSE):
        if loudness > threshold:
            current.append(number)
            quiet = 0
        elif current and (quiet := quiet + 1) >= PAUSE:
            first, last = current[0], current[-1]
            if last - first + 1 >= SHORTEST:
                found.append((starts[first], starts[last] + FRAME, [f for _, f in frames[first:last + 1]]))
            current, quiet = [], 0
    return found


def distance(one, other):
    """Mean distance of the frames along the best alignment."""
    width = max(4, abs(len(one) - len(other)) + 2)
    before = [math.inf] * (len(other) + 1)
    before[0] = 0.0
    for i, frame in enumerate(one, 1):
        row = [math.inf] * (len(other) + 1)
        middle = i * len(other) // len(one)
        for j in range(max(1, middle - width), min(len(other), middle + width) + 1):
            row[j] = math.dist(frame, other[j - 1]) + min(before[j], before[j - 1], row[j - 1])
        before = row
    return before[-1] / (len(one) + len(other))


def values():
    """What the step gets by `with`."""
    with open(os.environ["BATON_INPUT"], encoding="utf-8") as file:
        return json.load(file)


def write(path, value):
    """Replaces the file as a whole: a repeated attempt finds the old content or the new one."""
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)
    os.replace(path + ".tmp", path)


def result(value):
    write(os.environ["BATON_RESULT"], value)


def scratch(name):
    """A file that all steps of this run share."""
    return os.path.join(os.environ["BATON_RUN_DIR"], name)
