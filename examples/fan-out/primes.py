"""The three steps of the example. `plan` and `count` print their result; `total` writes it to $BATON_RESULT."""

import json
import math
import os
import sys


def plan(limit, parts):
    """[{first, end}, …]: `parts` ranges of nearly the same size that together are [0, limit)."""
    borders = [limit * i // parts for i in range(parts + 1)]
    return [{"first": first, "end": end} for first, end in zip(borders, borders[1:])]


def primes_below(limit):
    sieve = bytearray([1]) * max(limit, 2)
    sieve[0:2] = b"\0\0"
    for n in range(2, math.isqrt(limit) + 1):
        if sieve[n]:
            sieve[n * n::n] = bytes(len(range(n * n, len(sieve), n)))
    return [n for n in range(limit) if sieve[n]]


def count(first, end):
    """Number of primes in [first, end), by a sieve of that segment alone."""
    sieve = bytearray([1]) * (end - first)
    for number in range(first, min(end, 2)):  # 0 and 1 are not prime
        sieve[number - first] = 0
    for prime in primes_below(math.isqrt(end) + 1):
        start = max(prime * prime, (first + prime - 1) // prime * prime) - first
        sieve[start::prime] = bytes(len(range(start, end - first, prime)))
    return sum(sieve)


def total():
    with open(os.environ["BATON_INPUT"], encoding="utf-8") as file:
        values = json.load(file)
    if len(values["counts"]) != len(values["parts"]):
        sys.exit(f"{len(values['counts'])} counts for {len(values['parts'])} parts")
    primes = sum(values["counts"])
    print(f"{primes} primes in {len(values['parts'])} parts")
    with open(os.environ["BATON_RESULT"], "w", encoding="utf-8") as file:
        json.dump({"parts": len(values["parts"]), "primes": primes}, file)


if sys.argv[1] == "plan":
    print(json.dumps(plan(int(sys.argv[2]), int(sys.argv[3]))))
elif sys.argv[1] == "count":
    print(count(int(sys.argv[2]), int(sys.argv[3])))
else:
    total()
