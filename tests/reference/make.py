"""Writes observations.csv, and what SciPy computes of it and of some numbers, to scipy.json; and census.csv."""

import csv
import json
import pathlib
import random

import numpy
from scipy import stats

HERE = pathlib.Path(__file__).parent


def observations():
    """Two sides of environments that come and go, a drift, and two CPUs on one side."""
    rng = random.Random(7)
    rows = []
    for side, environments in (("baseline", 9), ("candidate", 11)):
        for environment in range(environments):
            cpu = 0.3 if side == "candidate" and rng.random() < 0.4 else 0.0
            level = 1.0 + cpu + rng.gauss(0, 0.05) - (0.1 if side == "candidate" else 0.0)
            first, length = rng.randrange(0, 5), rng.randrange(2, 8)
            for block in range(first, min(first + length, 10)):
                for _ in range(rng.choice((1, 1, 2))):
                    value = level + 0.02 * block + rng.gauss(0, 0.04)
                    rows.append((side, environment, block, round(value, 6)))
    return rows


def census():
    """Two sides of which many environments have their CPU model counted, and few are measured."""
    rng = random.Random(11)
    cpus = {"a": (1.0, 0.03), "b": (1.2, 0.05), "c": (1.5, 0.04)}
    mixes = {"baseline": (0.6, 0.4, 0.0), "candidate": (0.3, 0.5, 0.2)}
    for side, mix in mixes.items():
        for environment in range(1200):
            (cpu,) = rng.choices(list(cpus), mix)
            value = round(rng.gauss(*cpus[cpu]), 6) if environment < 40 else ""
            yield side, environment, cpu, value


def welch(one, other, **how):
    result = stats.ttest_ind(one, other, equal_var=False, **how)
    low, high = result.confidence_interval(0.95) if not how else (None, None)
    return {"statistic": result.statistic, "p": result.pvalue, "df": result.df, "low": low, "high": high}


def main():
    with open(HERE / "census.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("side", "environment", "cpu", "value"))
        writer.writerows(census())
    rows = observations()
    with open(HERE / "observations.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("side", "environment", "block", "value"))
        writer.writerows(rows)
    values = {side: [row[3] for row in rows if row[0] == side] for side in ("baseline", "candidate")}
    means = {
        side: [
            float(numpy.mean([row[3] for row in rows if row[:2] == (side, environment)]))
            for environment in sorted({row[1] for row in rows if row[0] == side})
        ]
        for side in values
    }
    students = [
        {"df": df, "tail": tail, "quantile": float(stats.t.isf(tail, df)), "p": float(2 * stats.t.sf(2.5, df))}
        for df in (1.5, 3.7, 7.0, 13.2, 118.0, 1e6)
        for tail in (0.025, 0.005, 1e-6, 1e-12)
    ]
    normals = [{"tail": tail, "quantile": float(stats.norm.isf(tail))} for tail in (0.025, 1e-6, 1e-12)]
    shares = []
    for count, total in ((0, 8), (3, 8), (8, 8), (11, 60), (1, 60)):
        test = stats.binomtest(count, total)
        wilson = test.proportion_ci(0.95, method="wilson")
        exact = stats.binomtest(0, total, alternative="less").proportion_ci(0.95, method="exact")
        shares.append({"count": count, "total": total, "low": wilson.low, "high": wilson.high, "unseen": exact.high})
    interval = stats.t.interval(
        0.95, len(means["baseline"]) - 1, numpy.mean(means["baseline"]), stats.sem(means["baseline"])
    )
    result = {
        "students": students,
        "normals": normals,
        "shares": shares,
        "welch_of_invocations": welch(values["candidate"], values["baseline"]),
        "welch_of_environments": welch(means["candidate"], means["baseline"]),
        "yuen": welch(values["candidate"], values["baseline"], trim=0.2),
        "mean_of_baseline": {"means": means["baseline"], "low": float(interval[0]), "high": float(interval[1])},
    }
    number = lambda it: None if it is None else float(it)
    for name in ("welch_of_invocations", "welch_of_environments", "yuen"):
        result[name] = {key: number(value) for key, value in result[name].items()}
    (HERE / "scipy.json").write_text(json.dumps(result, indent=1) + "\n")


main()
