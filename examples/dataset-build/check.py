#!/usr/bin/python3
"""Recomputes what a finished build claims, from the source folder and the archive alone; shares no code with the steps.

    check.py SOURCE OUT [RUN_JSON]      RUN_JSON: what `baton run --output json` printed

Exit code 0 if every number is true, 1 with one line per difference otherwise.
"""

import colorsys
import hashlib
import json
import os
import sys
import tarfile

from PIL import Image

TAKEN = {"PNG", "JPEG", "GIF", "WEBP", "TIFF"}
SAMPLE = 150  # images whose pixels are counted one by one

problems = []
checked = 0


def expect(what, claimed, true):
    global checked
    checked += 1
    if claimed != true:
        problems.append(f"{what}: the build says {claimed!r:.300}, the truth is {true!r:.300}")


def survey(source):
    """({path: content} of images, number of other files, number of links), by os.walk and a plain decode."""
    images, others, links = {}, 0, 0
    for folder, folders, files in os.walk(source):
        for name in folders + files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                links += 1
            elif name in files:
                try:
                    if not os.path.isfile(path):
                        raise ValueError("neither file nor link")
                    with Image.open(path) as image:
                        image.load()
                        if image.format not in TAKEN:
                            raise ValueError(image.format)
                        with open(path, "rb") as file:
                            images[os.path.relpath(path, source)] = (image.format, image.size, file.read())
                except Exception:  # not an image, whatever the library calls it
                    others += 1
    return images, others, links


def pixel_labels(content):
    with Image.open(content) as opened:
        pixels = list(opened.convert("RGBA").getdata())
    clear = sum(1 for pixel in pixels if pixel[3] < 255)
    transparency = "opaque" if clear == 0 else "partly" if clear * 2 < len(pixels) else "mostly"
    seen = [pixel for pixel in pixels if pixel[3] >= 128]
    return transparency, seen


def plausible_colour(colour, seen):
    """Counted pixel by pixel. Rounding at the borders of hues and greys is the library's, hence the margins."""
    if colour == "none" or not seen:
        return colour == "none" and not seen
    hsv = [colorsys.rgb_to_hsv(r / 255, g / 255, b / 255) for r, g, b, _ in seen]
    coloured = [h * 360 for h, s, v in hsv if s >= 63 / 255 and v >= 48 / 255]
    if colour in ("black", "grey", "white"):
        strongly = sum(1 for h, s, v in hsv if s >= 66 / 255 and v >= 49 / 255)
        mean = sum(v for _, _, v in hsv) / len(hsv) * 255
        low, high = {"black": (0, 65), "grey": (63, 193), "white": (191, 256)}[colour]
        return strongly * 4 <= len(seen) and low <= mean <= high
    ranges = {"red": [(0, 17), (318, 361)], "orange": [(13, 47)], "yellow": [(43, 72)], "green": [(68, 167)],
              "cyan": [(163, 197)], "blue": [(193, 262)], "purple": [(258, 322)]}
    mine = sum(1 for h in coloured if any(low <= h < high for low, high in ranges[colour]))
    best_other = max(sum(1 for h in coloured if any(low + 4 <= h < high - 4 for low, high in wide))
                     for name, wide in ranges.items() if name != colour)
    return len(coloured) * 4 >= len(seen) and mine >= best_other


def as_shown(path):
    raw = os.fsencode(path).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in raw)


def check_archive(out, stored, images, first_of):
    archive = os.path.join(out, "dataset.tar")
    with open(archive, "rb") as file:
        content = file.read()
    expect("sha256 of the archive", stored["sha256"], hashlib.sha256(content).hexdigest())
    expect("bytes of the archive", stored["archive_bytes"], len(content))
    with tarfile.open(archive) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))["images"]
        packed = {name: tar.extractfile(name).read() for name in tar.getnames() if name != "manifest.json"}
        sample = {entry["file"] for entry in manifest[::max(1, len(manifest) // SAMPLE)]}
        for entry in manifest:
            path, labels = entry["path"], entry["labels"]
            kind, (width, height), original = images.get(path, ("absent", (0, 0), b""))
            expect(f"content of {path}", packed.get(entry["file"]), original)
            expect(f"sha256 of {path}", entry["sha256"], hashlib.sha256(original).hexdigest())
            expect(f"format, size of {path}", [entry["format"], entry["width"], entry["height"], entry["bytes"]],
                   [kind, width, height, len(original)])
            longest = max(width, height)
            size = "tiny" if longest <= 16 else "small" if longest <= 48 else "medium" if longest <= 128 else "large"
            shape = "square" if width == height else "wide" if width > height else "tall"
            expect(f"size and shape of {path}", [labels["size"], labels["shape"]], [size, shape])
            if entry["file"] in sample:
                transparency, seen = pixel_labels(tar.extractfile(entry["file"]))
                expect(f"transparency of {path}", labels["transparency"], transparency)
                expect(f"colour of {path} ({labels['colour']})", plausible_colour(labels["colour"], seen), True)
    expect("files in the archive", len(packed), len(manifest))
    expect("images in the archive", {entry["path"] for entry in manifest}, set(first_of.values()))
    expect("stored", stored["stored"], len(manifest))
    expect("stored bytes", stored["image_bytes"], sum(map(len, packed.values())))


def check_run(path, report):
    with open(path, encoding="utf-8") as file:
        printed = json.load(file)
    expect("status of the run", printed["run"]["status"], "completed")
    by_step = {}
    for task in printed["tasks"]:
        by_step.setdefault(task["step"], []).append(task)
    results = {step: [task["result"] for task in tasks if task["result"] is not None] for step, tasks in by_step.items()}
    expect("result of validate", results["validate"][0]["valid"], report["validated"]["images"])
    expect("result of deduplicate", results["deduplicate"][0]["deduplicated"], report["deduplicated"]["duplicates"])
    labelled = [result["labeled"] for result in results["label"] if isinstance(result, dict)]
    expect("images labelled by all tasks", sum(labelled), report["deduplicated"]["unique"])
    expect("result of store", results["store"][0], report["stored"])


def main():
    source, out = os.path.realpath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with open(os.path.join(out, "report.json"), encoding="utf-8") as file:
        report = json.load(file)
    found, others, links = survey(source)
    images = {as_shown(path): entry for path, entry in found.items()}
    first_of = {}  # content → first path in order of bytes
    for path in sorted(found, key=os.fsencode):
        first_of.setdefault(found[path][2], as_shown(path))
    duplicates = {as_shown(path): first_of[content] for path, (_, _, content) in found.items()
                  if first_of[content] != as_shown(path)}

    expect("source", report["source"], as_shown(source))
    expect("files", report["collected"]["files"], len(images) + others)
    expect("symbolic links", report["collected"]["symbolic_links"], links)
    expect("beyond the limit", report["collected"]["beyond_limit"], 0)
    expect("images", report["validated"]["images"], len(images))
    expect("bytes", report["validated"]["bytes"], sum(len(content) for _, _, content in images.values()))
    unreadable = report["collected"]["unreadable_folders"]
    expect("failures", report["validated"]["failed"] - unreadable, others)
    expect("sum of the reasons", sum(report["validated"]["reasons"].values()), len(report["failures"]))
    expect("names of failures that are images", [f["path"] for f in report["failures"] if f["path"] in images], [])
    expect("unique", report["deduplicated"]["unique"], len(first_of))
    expect("duplicates by name", {d["path"]: d["same_as"] for d in report["duplicates"]}, duplicates)
    for label in ("size", "shape", "transparency", "colour"):
        expect(f"sum of labels: {label}",
               sum(n for name, n in report["labels"].items() if name.startswith(label + ":")), len(first_of))
    expect("steps with a duration", sorted({d["step"] for d in report["durations"]}),
           ["check", "collect", "deduplicate", "label", "store", "validate"])
    expect("durations below zero", [d for d in report["durations"] if d["seconds"] < 0], [])
    expect("status", report["status"], "completed")
    check_archive(out, report["stored"], images, first_of)
    if len(sys.argv) > 3:
        check_run(sys.argv[3], report)

    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    if problems:
        print(f"{len(problems)} of {checked} claims are not true", file=sys.stderr)
        return 1
    print(f"{checked} claims checked against {source}: all true")
    return 0


sys.exit(main())
