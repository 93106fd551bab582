"""Labels one batch of images by what can be seen in them: size, shape, transparency, dominant colour."""

import collections
import hashlib
import os

from PIL import ImageChops

import dataset
import images

# A pixel counts as seen from alpha 128, as coloured from saturation 64 and brightness 48 (of 255).
HUES = [("red", 15), ("orange", 45), ("yellow", 70), ("green", 165), ("cyan", 195), ("blue", 260), ("purple", 320),
        ("red", 361)]


def hue_name(bin_of_256):
    degrees = bin_of_256 * 360 // 256
    return next(name for name, end in HUES if degrees < end)


def size_class(image):
    longest = max(image.size)
    return "tiny" if longest <= 16 else "small" if longest <= 48 else "medium" if longest <= 128 else "large"


def shape(image):
    if image.width == image.height:
        return "square"
    return "wide" if image.width > image.height else "tall"


def at_least(band, threshold):
    """A mask of the band's pixels that reach the threshold."""
    return band.point([255 if value >= threshold else 0 for value in range(256)])


def count(mask):
    return mask.histogram()[255]


def transparency(image):
    opaque = image.getchannel("A").histogram()[255]
    share = 1 - opaque / (image.width * image.height)
    return "opaque" if share == 0 else "partly" if share < 0.5 else "mostly"


def dominant_colour(image):
    seen = at_least(image.getchannel("A"), 128)
    total = count(seen)
    if total == 0:
        return "none"
    hue, saturation, value = image.convert("RGB").convert("HSV").split()
    coloured = ImageChops.multiply(seen, ImageChops.multiply(at_least(saturation, 64), at_least(value, 48)))
    if count(coloured) * 4 < total:  # less than a quarter of what is seen: a grey picture
        histogram = value.histogram(seen)
        mean = sum(level * n for level, n in enumerate(histogram)) / total
        return "black" if mean < 64 else "grey" if mean < 192 else "white"
    counts = collections.Counter()
    for level, n in enumerate(hue.histogram(coloured)):
        counts[hue_name(level)] += n
    return max(sorted(counts), key=counts.__getitem__)


def main(values):
    number = values["batch"]
    source = dataset.to_bytes(dataset.read_json(dataset.state_path("collected.json"))["source"])
    batch = dataset.read_json(dataset.state_path("deduplicated.json"))["batches"][number]
    labels = {}
    counts = collections.Counter()
    for entry in batch:
        path = dataset.to_bytes(entry["path"])
        content = dataset.read_regular(os.path.join(source, path))
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise dataset.StepFailed(f"{dataset.shown(path)} changed while the data set was built")
        _, image = images.decode(content)
        label = {"size": size_class(image), "shape": shape(image), "transparency": transparency(image),
                 "colour": dominant_colour(image)}
        labels[entry["sha256"]] = label
        counts.update(f"{key}={value}" for key, value in label.items())
    dataset.write_json(dataset.state_path(f"labels-{number}.json"), labels)
    print(f"batch {number}: {len(labels)} images labelled")
    return {"batch": number, "labeled": len(labels), "counts": dict(sorted(counts.items()))}


dataset.run("label", main)
