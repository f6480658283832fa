"""The estimates of `duet report` by NumPy and SciPy, of a campaign with one cell: for each measure the ratio, the standard
error of its logarithm, the degrees of freedom and the interval, and the percentiles of both sides.

    estimates.py RUN-DIRECTORY

docs/method.md describes the estimator. Nothing here is shared with the program that it is compared with.
"""

import json
import pathlib
import sys

import numpy as np
from scipy import stats

MEASURES = ("duration", "billed", "latency")


def read(directory):
    """Each measure in milliseconds, with the side, environment and block of each call."""
    sides, environments, blocks = [], [], []
    values = {measure: [] for measure in MEASURES}
    numbers = {}
    with open(directory / "samples.jsonl") as file:
        for line in file:
            row = json.loads(line)
            if "failure" in row or row.get("cold"):
                continue
            side = row["variant"] == 1
            sides.append(side)
            environments.append(numbers.setdefault((side, row["environment"]), len(numbers)))
            blocks.append(row["block"])
            values["duration"].append(row["report"]["duration_ms"])
            values["billed"].append(row["report"]["billed_ms"])
            values["latency"].append(row["latency_ns"] / 1e6)
    return (
        np.array(sides, dtype=float),
        np.array(environments),
        np.unique(np.array(blocks), return_inverse=True)[1],
        {measure: np.array(it) for measure, it in values.items()},
    )


class Fit:
    """Weighted least squares of values on block and side, each environment weighing the same, with CR3 by environment and
    what blocks tell of disturbances."""

    def __init__(self, sides, environments, blocks):
        count = blocks.max() + 1
        paired = np.zeros((2, count), dtype=bool)
        paired[sides.astype(int), blocks] = True
        self.kept = paired.all(axis=0)[blocks]
        sides, environments, blocks = sides[self.kept], environments[self.kept], blocks[self.kept]
        keys, self.entry = np.unique(environments * count + blocks, return_inverse=True)
        self.calls = np.bincount(self.entry)
        self.environment, self.block = keys // count, keys % count
        total = np.bincount(environments)
        self.weight = self.calls / total[self.environment]
        side_of = np.zeros(len(total))
        side_of[environments] = sides
        self.side = side_of[self.environment]
        self.clusters = len(total)
        self.side_of_cluster = side_of
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

    def means(self, values):
        return np.bincount(self.entry, values[self.kept]) / self.calls

    def block_means(self, means, side):
        weight = np.where(self.side == side, self.weight, 0)
        sums = np.bincount(self.block, weight, len(self.block_weight))
        return np.divide(np.bincount(self.block, weight * means, len(self.block_weight)), sums, where=sums > 0, out=np.zeros(len(sums))), sums

    def sides_of_estimate(self, values):
        """The mean of each side, of which the estimate is the difference."""
        means = self.means(values)
        (one, one_weight), (other, other_weight) = (self.block_means(means, side) for side in (0, 1))
        total = one_weight + other_weight
        weight = np.divide(one_weight * other_weight, total, where=total > 0, out=np.zeros(len(total)))
        return np.sum(weight * one) / np.sum(weight), np.sum(weight * other) / np.sum(weight)

    def errors(self, values):
        """The standard error of the difference and its degrees of freedom."""
        means = self.means(values)
        baseline, candidate = self.sides_of_estimate(values)
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
    sides, environments, blocks, measures = read(pathlib.Path(sys.argv[1]))
    fit = Fit(sides, environments, blocks)
    results = {}
    for measure, values in measures.items():
        if measure == "billed":
            baseline, candidate = fit.sides_of_estimate(values)
            estimate = np.log(candidate / baseline)
            error, freedom = fit.errors(values / np.where(sides == 0, baseline, candidate))
        else:
            baseline, candidate = fit.sides_of_estimate(np.log(values))
            estimate = candidate - baseline
            error, freedom = fit.errors(np.log(values))
        radius = stats.t.isf(0.025, freedom) * error
        results[measure] = {
            "estimate": float(np.exp(estimate)),
            "log_standard_error": float(error),
            "degrees_of_freedom": float(freedom),
            "interval": [float(np.exp(estimate - radius)), float(np.exp(estimate + radius))],
            "percentiles": [np.percentile(values[sides == side], [0, 50, 90, 95, 99, 100]).tolist() for side in (0, 1)],
        }
    print(json.dumps(results))


main()
