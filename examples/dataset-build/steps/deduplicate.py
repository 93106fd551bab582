"""Keeps the first of all images with the same content (in order of path) and cuts what is left into batches."""

import dataset


def main(values):
    validated = dataset.read_json(dataset.state_path("validated.json"))
    kept = {}
    duplicates = []
    for image in sorted(validated["images"], key=lambda image: dataset.to_bytes(image["path"])):
        first = kept.setdefault(image["sha256"], image)
        if first is not image:
            duplicates.append({"path": image["path"], "same_as": first["path"], "bytes": image["bytes"]})
    unique = list(kept.values())
    size = values["batch_size"]
    batches = [unique[start:start + size] for start in range(0, len(unique), size)]
    dataset.write_json(dataset.state_path("deduplicated.json"), {"batches": batches, "duplicates": duplicates})
    print(f"{len(unique)} different images, {len(duplicates)} duplicates, {len(batches)} batches")
    return {"unique": len(unique), "deduplicated": len(duplicates), "batches": list(range(len(batches)))}


dataset.run("deduplicate", main)
