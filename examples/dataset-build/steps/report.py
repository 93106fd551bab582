"""Writes report.json and report.md from what the steps left in the run's folder, however far they came."""

import collections
import glob
import json
import os

import dataset


def state(name):
    path = dataset.state_path(name)
    return dataset.read_json(path) if os.path.exists(path) else None


def shown(text):
    return dataset.shown(dataset.to_bytes(text))


def timing():
    """What the attempts recorded about themselves, in order of their start."""
    paths = glob.glob(os.path.join(glob.escape(os.environ["BATON_RUN_DIR"]), "timing-*.json"))
    return sorted(map(dataset.read_json, paths), key=lambda record: record["started"])


def durations(attempts):
    """Per step: number of attempts that ended, seconds of work, seconds from first start to last end."""
    by_step = collections.defaultdict(list)
    for record in attempts:
        by_step[record["step"]].append(record)
    return [{"step": step, "attempts": len(records),
             "work_seconds": round(sum(r["ended"] - r["started"] for r in records), 3),
             "seconds": round(max(r["ended"] for r in records) - records[0]["started"], 3)}
            for step, records in by_step.items()]


def build(values):
    attempts = timing()
    report = {"status": values["status"], "durations": durations(attempts),
              "failed_attempts": [{"step": a["step"], "message": a["failure"]} for a in attempts if a["failure"]]}
    if collected := state("collected.json"):
        report["source"] = shown(collected["source"])
        report["collected"] = {"files": len(collected["files"]), "symbolic_links": collected["symbolic_links"],
                               "beyond_limit": collected["beyond_limit"],
                               "unreadable_folders": len(collected["unreadable_folders"])}
    if validated := state("validated.json"):
        images, failures = validated["images"], validated["failures"]
        report["validated"] = {
            "images": len(images), "bytes": sum(image["bytes"] for image in images),
            "formats": dict(sorted(collections.Counter(image["format"] for image in images).items())),
            "failed": len(failures),
            "reasons": dict(sorted(collections.Counter(failure["reason"] for failure in failures).items()))}
        report["failures"] = [{"path": shown(f["path"]), "reason": f["reason"]} for f in failures]
    if deduplicated := state("deduplicated.json"):
        duplicates = deduplicated["duplicates"]
        report["deduplicated"] = {"unique": sum(len(batch) for batch in deduplicated["batches"]),
                                  "duplicates": len(duplicates), "bytes_saved": sum(d["bytes"] for d in duplicates)}
        report["duplicates"] = [{"path": shown(d["path"]), "same_as": shown(d["same_as"])} for d in duplicates]
        counts = collections.Counter()
        for number in range(len(deduplicated["batches"])):
            for label in (state(f"labels-{number}.json") or {}).values():
                counts.update(f"{key}: {value}" for key, value in label.items())
        report["labels"] = dict(sorted(counts.items()))
    if stored := state("stored.json"):
        report["stored"] = stored
    return report


def as_markdown(report):
    lines = ["# Data set report", "", f"Build: **{report['status']}**", ""]

    def table(title, head, rows):
        if rows:
            lines.extend([f"## {title}", "", "| " + " | ".join(head) + " |", "|" + " --- |" * len(head)])
            lines.extend("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows)
            lines.append("")

    numbers = [("source", report.get("source", "not reached"))]
    for part in ("collected", "validated", "deduplicated", "stored"):
        numbers += [(f"{part}: {key.replace('_', ' ')}", value) for key, value in report.get(part, {}).items()
                    if not isinstance(value, dict)]
    table("Numbers", ("what", "value"), numbers)
    table("Failed attempts", ("step", "message"), [(f["step"], f["message"]) for f in report["failed_attempts"]])
    table("Labels", ("label", "images"), report.get("labels", {}).items())
    table("Failures by reason", ("reason", "files"), report.get("validated", {}).get("reasons", {}).items())
    table("Durations", ("step", "attempts", "seconds of work", "seconds"),
          [(d["step"], d["attempts"], d["work_seconds"], d["seconds"]) for d in report["durations"]])
    table("Duplicates", ("file", "same as"), [(d["path"], d["same_as"]) for d in report.get("duplicates", [])])
    table("Failures", ("file", "reason"), [(f["path"], f["reason"]) for f in report.get("failures", [])])
    return "\n".join(lines)


def main(values):
    out = os.path.abspath(values["out"])
    os.makedirs(out, exist_ok=True)
    report = build(values)
    dataset.write_file(os.path.join(out, "report.json"),
                       json.dumps(report, indent=1, ensure_ascii=False).encode("utf-8") + b"\n")
    dataset.write_file(os.path.join(out, "report.md"), as_markdown(report).encode("utf-8"))
    summary = {key: report[key] for key in ("collected", "validated", "deduplicated", "stored") if key in report}
    print(f"report: {os.path.join(out, 'report.md')}")
    return {"report": os.path.join(out, "report.md"), "status": values["status"], **summary}


dataset.run("report", main)
