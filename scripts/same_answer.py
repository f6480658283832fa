#!/usr/bin/env python3
"""Fails unless two answers to the same request to the same binary say the same, apart from what is measured.

usage: same_answer.py ONE.json OTHER.json
"""

import json
import sys

# What differs from one invocation to the next, and from one host of the same binary to the next.
VARIES = {
    "request_id", "remaining_ms", "id", "cold_start", "invocation_index", "init_ms", "name", "memory_mb", "clock",
    "cpu_clock", "vcpus", "emulated", "wall_ns", "cpu_ns", "summary", "max_rss_bytes", "throttled_fraction",
    "batch_size",
}  # fmt: skip


def fixed(value):
    """The answer with a mark in place of what varies, so that its absence still shows; warnings come and go."""
    if isinstance(value, dict):
        return {key: "varies" if key in VARIES else fixed(item) for key, item in value.items() if key != "warnings"}
    return [fixed(item) for item in value] if isinstance(value, list) else value


def main(paths):
    answers = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            answers.append(json.load(file))
    one, other = (fixed(answer) for answer in answers)
    if not one.get("results"):
        sys.exit(f"{paths[0]} has no results: {json.dumps(answers[0])[:500]}")
    for field in sorted(one.keys() | other.keys()):
        if one.get(field) != other.get(field):
            sys.exit(f"{field} differs:\n{json.dumps(one.get(field))}\n{json.dumps(other.get(field))}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1:])
