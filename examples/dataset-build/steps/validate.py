"""Decodes every collected file. What is no image, is damaged or cannot be read is a recorded failure with its reason,
not a failure of the step."""

import collections
import hashlib
import os

import dataset
import images


def main(_values):
    collected = dataset.read_json(dataset.state_path("collected.json"))
    source = dataset.to_bytes(collected["source"])
    valid = []
    failures = list(collected["unreadable_folders"])
    for text in collected["files"]:
        path = dataset.to_bytes(text)
        try:
            content = dataset.read_regular(os.path.join(source, path))
            kind, image = images.decode(content)
        except dataset.StepFailed as error:
            failures.append({"path": text, "reason": str(error)})
            continue
        valid.append({"path": text, "format": kind, "width": image.width, "height": image.height,
                      "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
        if len(valid) % 1000 == 0:
            print(f"{len(valid)} images decoded", flush=True)
    dataset.write_json(dataset.state_path("validated.json"), {"images": valid, "failures": failures})
    reasons = dict(sorted(collections.Counter(failure["reason"] for failure in failures).items()))
    print(f"{len(valid)} images, {len(failures)} failures {reasons}")
    return {"valid": len(valid), "failed": len(failures), "bytes": sum(image["bytes"] for image in valid),
            "reasons": reasons}


dataset.run("validate", main)
