"""Stops a build before it starts if the source has too few images. Decodes only as many as it needs to know."""

import os

import dataset
import images


def main(values):
    source = dataset.source_folder(values)
    found = files = 0
    for path, is_link in dataset.walk(source, lambda path, reason: None):
        files += 1
        if is_link:
            continue
        try:
            images.decode(dataset.read_regular(os.path.join(source, path)))
        except dataset.StepFailed:
            continue
        found += 1
        if found == dataset.MIN_IMAGES:
            return {"source": dataset.shown(source), "images": f"at least {found}"}
    raise dataset.StepFailed(
        f"source: {dataset.shown(source)} has {found} images among {files} files; a data set needs at least "
        f"{dataset.MIN_IMAGES}. Name another folder: --input source=FOLDER")


dataset.run("check", main)
