"""The workflow, and a program that runs it:

python3 pipeline.py FOLDER OUTPUT
"""

import os
import sys

import baton
from tasks import count, find, merge, publish


def pipeline() -> baton.Workflow:
    flow = baton.Workflow("word-list", title="The words of a folder's documents", inputs={
        "folder": {"type": "string"}, "output": {"type": "string"}, "top": {"type": "integer", "minimum": 1, "default": 10}})
    found = flow.step("find", task=find.s(flow.input("folder")))
    counted = flow.step("count", title="Count the words of each document", task=count.s(baton.ITEM), for_each=found.result, max_parallel=4)
    merged = flow.step("merge", task=merge.s(counted.result, flow.input("top")))
    flow.step("publish", task=publish.s(merged.result, flow.input("output")))
    return flow


def main(folder: str, output: str) -> int:
    with baton.Client() as client:
        run = client.submit(pipeline(), {"folder": os.path.abspath(folder), "output": os.path.abspath(output)})
        for event in client.events(run.id):
            if event.type == "task.ended":
                print(f"{event.data['step']}: {event.data['status']}")
        print(client.result(run.id))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
