"""keywords.py QUERY: what the language agent would have understood, by a word in the question."""

import json
import sys

metric = "tea" if "tea" in sys.argv[1].lower() else "coffee"
print(json.dumps({"body": {"metric": metric, "by": "region"}}))
