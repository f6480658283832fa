#!/usr/bin/env python3
"""Prints the answers of the two functions side by side and fails where their checksums differ.

usage: side_by_side.py ARM64.json X86_64.json
"""

import json
import sys

ROW = "{:<26} {:<17} {:<17} {:<9} {:>12} {:>12}"


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def machine(answer):
    """The function's architecture and the CPU it ran on."""
    host = answer["host"]
    note = ", emulated: its times mean nothing" if host["emulated"] else ""
    return f"{answer['function']['architecture']:<7} on {host['cpu_model']}{note}"


def median(answer, sample):
    if answer["host"]["emulated"]:
        return "emulated"
    return f"{sample['summary']['median'] / 1e6:.3f} ms" if sample["summary"] else "-"


def main(paths):
    answers = [load(path) for path in paths]
    for answer in answers:
        print(machine(answer))
    sides = [{sample["workload"]: sample for sample in answer["results"]} for answer in answers]
    names = sorted(set().union(*sides))
    print(ROW.format("Workload", "arm64", "x86_64", "Checksums", "Median arm64", "x86_64"))
    alike = True
    for name in names:
        pair = [side.get(name, {"checksum": None, "summary": None}) for side in sides]
        checksums = [sample["checksum"] for sample in pair]
        equal = checksums[0] is not None and checksums[0] == checksums[1]
        alike = alike and equal
        medians = [median(answer, sample) for answer, sample in zip(answers, pair)]
        shown = [checksum or "-" for checksum in checksums]
        print(ROW.format(name, *shown, "equal" if equal else "DIFFERENT", *medians))
    if not names:
        sys.exit("no workload ran")
    if not alike:
        sys.exit("the two architectures did not do the same work")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1:])
