"""Packs the images, named by their content, and a manifest into one tar archive. The same images make the same bytes."""

import hashlib
import io
import json
import os
import tarfile

import dataset


def member(name, size):
    info = tarfile.TarInfo(name)  # no owner, no time: only the content decides
    info.size = size
    info.mode = 0o644
    return info


def main(values):
    source = dataset.to_bytes(dataset.read_json(dataset.state_path("collected.json"))["source"])
    deduplicated = dataset.read_json(dataset.state_path("deduplicated.json"))
    out = os.path.abspath(values["out"])
    os.makedirs(out, exist_ok=True)
    archive = os.path.join(out, "dataset.tar")
    temporary = dataset.temporary_name(archive)
    manifest = []
    try:
        with open(temporary, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for number, batch in enumerate(deduplicated["batches"]):
                    labels = dataset.read_json(dataset.state_path(f"labels-{number}.json"))
                    for image in batch:
                        path = dataset.to_bytes(image["path"])
                        content = dataset.read_regular(os.path.join(source, path))
                        if hashlib.sha256(content).hexdigest() != image["sha256"]:
                            raise dataset.StepFailed(f"{dataset.shown(path)} changed while the data set was built")
                        name = f"images/{image['sha256']}.{image['format'].lower()}"
                        tar.addfile(member(name, len(content)), io.BytesIO(content))
                        manifest.append({**image, "path": dataset.shown(path), "file": name,
                                         "labels": labels[image["sha256"]]})
                text = json.dumps({"images": manifest}, indent=1, ensure_ascii=False).encode("utf-8")
                tar.addfile(member("manifest.json", len(text)), io.BytesIO(text))
            file.flush()
            os.fsync(file.fileno())
        with open(temporary, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        stored = {"archive": archive, "stored": len(manifest), "image_bytes": sum(i["bytes"] for i in manifest),
                  "archive_bytes": os.path.getsize(temporary), "sha256": digest}
        dataset.publish(temporary, archive)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    dataset.write_json(dataset.state_path("stored.json"), stored)
    print(f"{stored['stored']} images in {archive}")
    return stored


dataset.run("store", main)
