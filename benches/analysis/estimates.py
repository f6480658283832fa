"""The estimates of `duet report`, of a campaign with one cell, by what people analyze such files with: for each measure the
ratio, the standard error of its logarithm, the degrees of freedom and the interval, and the percentiles of both sides.

    estimates.py json|polars|duckdb RUN-DIRECTORY

The readers read, filter, group and find the percentiles; the rest is NumPy's. docs/method.md describes the estimator.
Nothing here is shared with the program that it is compared with. `seconds` in the output are without the time in which
Python and the libraries start.
"""

import importlib
import json
import pathlib
import sys
import time

import numpy as np
from scipy.special import stdtrit

# The values that are compared: logarithms but for what is billed.
SCALE = {"duration": np.log, "billed": lambda values: values, "latency": np.log}
SHARES = [0, 0.5, 0.9, 0.95, 0.99, 1]


def by_json(path):
    """The mean of each measure by side, environment and block, with the calls; and the percentiles by measure and side."""
    sides, environments, blocks = [], [], []
    values = {measure: [] for measure in SCALE}
    numbers = {}
    with open(path) as file:
        for line in file:
            row = json.loads(line)
            if "failure" in row or row.get("cold"):
                continue
            side = row["variant"]
            sides.append(side)
            environments.append(numbers.setdefault((side, row["environment"]), len(numbers)))
            blocks.append(row["block"])
            values["duration"].append(row["report"]["duration_ms"])
            values["billed"].append(row["report"]["billed_ms"])
            values["latency"].append(row["latency_ns"] / 1e6)
    sides, environments, blocks = np.array(sides), np.array(environments), np.array(blocks)
    values = {measure: np.array(it) for measure, it in values.items()}
    keys, group = np.unique(environments * (blocks.max() + 1) + blocks, return_inverse=True)
    calls = np.bincount(group)
    side_of = np.zeros(len(numbers), dtype=int)
    side_of[environments] = sides
    groups = {"environment": keys // (blocks.max() + 1), "block": keys % (blocks.max() + 1), "calls": calls}
    groups["side"] = side_of[groups["environment"]]
    for measure, scale in SCALE.items():
        groups[measure] = np.bincount(group, scale(values[measure])) / calls
    percentiles = {m: [np.quantile(it[sides == side], SHARES).tolist() for side in (0, 1)] for m, it in values.items()}
    return groups, percentiles


def by_polars(path):
    import polars as pl

    schema = {
        "block": pl.Int64,
        "variant": pl.Int64,
        "latency_ns": pl.Int64,
        "cold": pl.Boolean,
        "report": pl.Struct({"duration_ms": pl.Float64, "billed_ms": pl.Float64}),
        "environment": pl.String,
        "failure": pl.Struct({"kind": pl.String}),
    }
    report = pl.col("report").struct
    calls = (
        pl.scan_ndjson(path, schema=schema)
        .filter(pl.col("failure").is_null() & ~pl.col("cold").fill_null(False))
        .select(
            "block",
            pl.col("environment").cast(pl.Categorical),
            side="variant",
            duration=report.field("duration_ms"),
            billed=report.field("billed_ms"),
            latency=pl.col("latency_ns") / 1e6,
        )
        .collect()
    )
    groups = calls.group_by("side", "environment", "block").agg(
        pl.len().alias("calls"), pl.col("duration").log().mean(), pl.col("billed").mean(), pl.col("latency").log().mean()
    )
    groups = groups.with_columns(environment=pl.struct("side", pl.col("environment").to_physical()).rank("dense") - 1)
    quantiles = [
        pl.col(measure).quantile(share, "linear").alias(f"{measure} {share}") for measure in SCALE for share in SHARES
    ]
    found = calls.group_by("side").agg(quantiles).sort("side")
    percentiles = {m: [[row[f"{m} {share}"] for share in SHARES] for row in found.to_dicts()] for m in SCALE}
    return {name: groups[name].to_numpy() for name in ("side", "environment", "block", "calls", *SCALE)}, percentiles


def by_duckdb(path):
    import duckdb

    columns = {
        "block": "UBIGINT",
        "variant": "UTINYINT",
        "latency_ns": "UBIGINT",
        "cold": "BOOLEAN",
        "report": "STRUCT(duration_ms DOUBLE, billed_ms DOUBLE)",
        "environment": "VARCHAR",
        "failure": "STRUCT(kind VARCHAR)",
    }
    base = duckdb.connect()
    base.execute(
        f"""create temp table calls as
        select block, variant as side, environment, report.duration_ms as duration, report.billed_ms as billed,
            latency_ns / 1e6 as latency
        from read_json('{path}', format = 'newline_delimited', columns = {columns})
        where failure is null and not coalesce(cold, false)"""
    )
    groups = base.execute(
        """select side, dense_rank() over (order by side, environment) - 1 as environment, block, count(*) as calls,
            avg(ln(duration)) as duration, avg(billed) as billed, avg(ln(latency)) as latency
        from calls group by side, calls.environment, block"""
    ).fetchnumpy()
    quantiles = ", ".join(f"quantile_cont({measure}, {SHARES})" for measure in SCALE)
    found = base.execute(f"select {quantiles} from calls group by side order by side").fetchall()
    return groups, {measure: [list(row[index]) for row in found] for index, measure in enumerate(SCALE)}


READERS = {"json": by_json, "polars": by_polars, "duckdb": by_duckdb}


class Fit:
    """Weighted least squares of values on block and side, each environment weighing the same, with CR3 by environment and
    what blocks tell of disturbances. What is fitted are the means of `groups`."""

    def __init__(self, groups):
        side, environment, calls = groups["side"].astype(int), groups["environment"].astype(int), groups["calls"].astype(float)
        block = np.unique(groups["block"], return_inverse=True)[1]
        count = block.max() + 1
        paired = np.zeros((2, count), dtype=bool)
        paired[side, block] = True
        self.kept = paired.all(axis=0)[block]
        side, self.environment, self.block, self.calls = (it[self.kept] for it in (side, environment, block, calls))
        self.side = side.astype(float)
        total = np.bincount(self.environment, self.calls)
        self.weight = self.calls / total[self.environment]
        self.clusters = len(total)
        self.side_of_cluster = np.zeros(self.clusters)
        self.side_of_cluster[self.environment] = self.side
        self.block_weight = np.bincount(self.block, self.weight, count)
        share = np.bincount(self.block, self.weight * self.side, count) / np.maximum(self.block_weight, 1e-300)
        self.centred = self.side - share[self.block]
        self.information = np.sum(self.weight * self.centred**2)
        self.loadings = self.adjusted()

    def adjusted(self):
        """(I - H)^-1 times the design, environment by environment, by the formula of Sherman and Morrison."""
        design = np.sqrt(self.weight) * self.centred
        column = design / (1 - self.weight / self.block_weight[self.block])
        product = np.bincount(self.environment, column * design, self.clusters)
        rows = column / (1 - product / self.information)[self.environment]
        self.own = np.bincount(self.environment, rows * design, self.clusters) / self.information**2
        return rows / self.information * np.sqrt(self.weight)

    def block_means(self, means, side):
        weight = np.where(self.side == side, self.weight, 0)
        sums = np.bincount(self.block, weight, len(self.block_weight))
        return np.divide(np.bincount(self.block, weight * means, len(self.block_weight)), sums, where=sums > 0, out=np.zeros(len(sums))), sums

    def sides_of_estimate(self, means):
        """The mean of each side, of which the estimate is the difference."""
        (one, one_weight), (other, other_weight) = (self.block_means(means, side) for side in (0, 1))
        total = one_weight + other_weight
        weight = np.divide(one_weight * other_weight, total, where=total > 0, out=np.zeros(len(total)))
        return np.sum(weight * one) / np.sum(weight), np.sum(weight * other) / np.sum(weight)

    def errors(self, means):
        """The standard error of the difference and its degrees of freedom."""
        baseline, candidate = self.sides_of_estimate(means)
        block_mean = np.bincount(self.block, self.weight * means, len(self.block_weight)) / np.maximum(self.block_weight, 1e-300)
        residual = means - block_mean[self.block] - (candidate - baseline) * self.centred
        score = np.bincount(self.environment, self.loadings * residual, self.clusters)
        pull = np.bincount(self.environment, self.loadings * self.centred, self.clusters)
        matrix = np.zeros((self.clusters, len(self.block_weight)))
        matrix[self.environment, self.block] = self.loadings
        shared = (matrix / np.maximum(self.block_weight, 1e-300)) @ matrix.T + np.outer(pull, pull) / self.information
        variances, freedoms = [], []
        for side in (0, 1):
            of_side = self.side_of_cluster == side
            pairs = shared[np.ix_(of_side, of_side)].copy()
            np.fill_diagonal(pairs, self.own[of_side])
            variances.append(np.sum(score[of_side] ** 2))
            freedoms.append(np.sum(self.own[of_side]) ** 2 / np.sum(pairs**2))
        variance = sum(variances)
        freedom = variance**2 / sum(v**2 / f for v, f in zip(variances, freedoms))
        excess, of_blocks, block_freedom = self.disturbances(residual, variance)
        if excess == 0:
            return np.sqrt(variance), freedom
        whole = variance + excess
        return np.sqrt(whole), whole**2 / (variance**2 / freedom + of_blocks**2 / block_freedom)

    def disturbances(self, residual, variance):
        """What disturbances add to the variance by environment; the variance by blocks, and its degrees of freedom."""
        usual = np.bincount(self.environment, self.weight * residual, self.clusters)[self.environment]
        is_whole = self.weight == 1
        deviation = np.where(is_whole, residual, (residual - usual) / np.sqrt(np.where(is_whole, 1, 1 - self.weight)))
        score = self.weight * self.centred * deviation / self.information
        of_blocks = np.sum(np.bincount(self.block, score) ** 2)
        of_calls = np.sum(score**2 / (1 - self.weight / self.block_weight[self.block]))
        expected = np.bincount(self.block, self.weight * np.abs(self.centred)) ** 2
        excess = max(0, of_blocks - min(of_calls, variance))
        return excess, of_blocks, np.sum(expected) ** 2 / np.sum(expected**2) - 1


def main():
    name, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    reader = READERS[name]
    importlib.import_module(name)
    begin = time.perf_counter()
    groups, percentiles = reader(directory / "samples.jsonl")
    read = time.perf_counter()
    fit = Fit(groups)
    measures = {}
    for measure in SCALE:
        means = groups[measure][fit.kept]
        if measure == "billed":
            baseline, candidate = fit.sides_of_estimate(means)
            estimate = np.log(candidate / baseline)
            error, freedom = fit.errors(means / np.where(fit.side == 0, baseline, candidate))
        else:
            baseline, candidate = fit.sides_of_estimate(means)
            estimate = candidate - baseline
            error, freedom = fit.errors(means)
        radius = -stdtrit(freedom, 0.025) * error
        measures[measure] = {
            "estimate": float(np.exp(estimate)),
            "log_standard_error": float(error),
            "degrees_of_freedom": float(freedom),
            "interval": [float(np.exp(estimate - radius)), float(np.exp(estimate + radius))],
            "percentiles": percentiles[measure],
        }
    end = time.perf_counter()
    print(json.dumps({"measures": measures, "seconds": end - begin, "seconds_to_read": read - begin}))


main()
