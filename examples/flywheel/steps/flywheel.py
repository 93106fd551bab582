"""What the steps share: values in, result out, files in the run's folder, questions to servers."""

import json
import os
import sys
import urllib.error
import urllib.request


def values():
    with open(os.environ["BATON_INPUT"], encoding="utf-8") as file:
        return json.load(file)


def result(value):
    with open(os.environ["BATON_RESULT"], "w", encoding="utf-8") as file:
        json.dump(value, file)


def scratch(name):
    return os.path.join(os.environ["BATON_RUN_DIR"], name)


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, value):
    """Replaces the file as a whole: a repeated attempt finds the old content or the new one."""
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".tmp", path)


def ask(method, url, body=None, also=()):
    """(status, answer). Another status than 2xx or `also`, or no answer, is worth another try: exit code 75."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in also:
            return error.code, None
        print(f"{method} {url}: {error}", file=sys.stderr)
    except OSError as error:
        print(f"{method} {url}: {error}", file=sys.stderr)
    sys.exit(75)
