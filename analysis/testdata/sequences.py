"""Whole runs of one metric, judged by docs/statistics/reference.py.

    python3 sequences.py > sequences.json       (half a minute; needs numpy and scipy)

That is the scalar reference implementation of the design; this file adds
only the loop of docs/statistics/method.md, section 6, around it: the clocks with their
restarts, the floor, the rules for missing data. Nothing here is shared
with the Go code.
"""
import json
import math
import pathlib
import sys
import numpy as np
from scipy import stats as st

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "docs" / "statistics"))
import reference as ref  # noqa: E402

ALPHA = BETA = 0.05


class Test:
    def __init__(self, start, planned, error, power):
        self.start, self.planned, self.error, self.power = start, planned, error, power
        self.clock = ref.Boundary()

    def level(self, k, info):
        return self.clock.next(info, self.error * ((k - self.start) / self.planned) ** self.power)


def tests(K, alpha):
    starts = [s for s in (K // 4, K // 2, 3 * K // 4) if K - s >= 12]
    return [Test(0, K, alpha * (1 - 0.1 * len(starts)), .5)] + [Test(s, K - s, alpha * .1, .5) for s in starts]


def usable(kind, row):
    if kind == 'value':
        return all(v is not None for v in row)
    return row[1] > 0 and row[3] > 0


class Metric:
    """One orientation of one metric over the rows from a test's start on."""

    def __init__(self, c):
        self.c, self.linear = c, False

    def enough(self, rows):
        if self.c['kind'] == 'checks':
            return sum(r[1] for r in rows) >= 2 and sum(r[3] for r in rows) >= 2
        return len(rows) >= (4 if self.c['kind'] == 'value' else 3)

    def info(self, rows):
        if self.c['kind'] == 'value':
            return float(len(rows))
        if self.c['kind'] == 'checks':
            n, m = sum(r[1] for r in rows), sum(r[3] for r in rows)
            return n * m / (n + m)
        return sum(r[1] * r[3] / (r[1] + r[3]) for r in rows)

    # -- value
    def series(self, rows):
        c, tol = self.c, self.c['tolerance']
        sign = -1 if c['direction'] == 'decrease' else 1
        if c['absolute']:
            return [sign * (a - b) for a, b in rows], tol, tol, None
        self.linear = self.linear or not all(a > 0 and b > 0 for a, b in rows)
        if not self.linear:
            return [sign * (math.log(a) - math.log(b)) for a, b in rows], math.log(1 + tol), math.log(1 + tol), None
        limit = 1 / (1 + tol) if sign < 0 else 1 + tol
        mean = sum(b for _, b in rows) / len(rows)
        return [sign * (a - limit * b) / mean for a, b in rows], 0.0, abs(limit - 1), limit

    def bounds(self, rows, a_fail, a_pass):
        """change limits and the two decisions at the given levels"""
        c = self.c
        if c['kind'] == 'value':
            return self.value(rows, a_fail, a_pass)
        x, n, y, m = (list(map(float, v)) for v in zip(*rows))
        if c['direction'] == 'decrease':
            x, n, y, m = y, m, x, n
        X, N, Y, M = sum(x), sum(n), sum(y), sum(m)
        tol, plain = c['tolerance'], c['kind'] == 'checks'
        f_fail = 1.0 if plain else ref.deflation(x, n, y, m, a_fail)['phi']
        f_pass = 1.0 if plain else max(ref.deflation(x, n, y, m, a_pass)['phi'], ref.phi_baseline(y, m))
        if c['absolute']:
            r = ref.diff_bounds(X, N, Y, M, a_fail, a_pass, 0.0, f_fail, f_pass)
            return r['L'], r['U'], r['L'] > tol, r['U'] < tol
        r = ref.ratio_bounds(x, n, y, m, a_fail, a_pass, 1 + tol)
        fails, passes, floor = r['p_fail'] < a_fail, r['p_pass'] < a_pass, c.get('floor', 0)
        if floor:
            fails = fails and ref.cp_lower(X / f_fail, N / f_fail, a_fail) > (1 + tol) * floor
            passes = passes or ref.cp_upper(X / f_pass, N / f_pass, a_pass) < (1 + tol) * floor
        low, high = r['L'], r['U']
        if c['direction'] == 'decrease':
            low, high = 1 / high, 1 / low if low else math.inf
        return low - 1, high - 1, fails, passes

    def value(self, rows, a_fail, a_pass):
        d, delta, tau, limit = self.series(rows)
        w = ref.winsorize(d)
        mix = ref.mixture(w, floor=.05 * tau)
        low, high = ref.mix_quantile(mix, a_fail), ref.mix_quantile(mix, 1 - a_pass)
        fails, passes = ref.mix_cdf(mix, delta) < a_fail, 1 - ref.mix_cdf(mix, delta) < a_pass
        # Spikes are pulled in where they would make noise of a mean; they still keep it from passing.
        passes = passes and sum(d) / len(d) < delta
        decrease = self.c['direction'] == 'decrease'
        if self.c['absolute']:
            change = (-high, -low) if decrease else (low, high)
        elif limit is None:
            change = (math.exp(-high) - 1, math.exp(-low) - 1) if decrease else (math.exp(low) - 1, math.exp(high) - 1)
        else:
            change = (limit - 1 - high, limit - 1 - low) if decrease else (limit - 1 + low, limit - 1 + high)
        return change[0], change[1], fails, passes


def judge(c):
    """verdict, look, and at each look of the whole-run test: levels and limits"""
    K, metric = c['K'], Metric(c)
    fail_tests, pass_test = tests(K, ALPHA), Test(0, K, BETA, 1.0)
    looks, passed, used = [], False, []
    for k in range(1, K + 1):
        row = c['rows'][k - 1]
        new = usable(c['kind'], row)
        if new:
            used.append((k, row))
        if not new or 2 * len(used) < k:
            continue
        levels = []
        for t in fail_tests:
            rows = [r for step, r in used if step > t.start]
            if k <= t.start or not metric.enough(rows):
                levels.append(None)
                continue
            a = t.level(k, metric.info(rows))
            levels.append(a)
            if a is not None and metric.bounds(rows, a, .01)[2]:
                return 'fail', k, looks
        rows = [r for _, r in used]
        if not metric.enough(rows):
            continue
        a = pass_test.level(k, metric.info(rows))
        if a is not None:
            low, high, _, within = metric.bounds(rows, levels[0], a)
            looks.append(dict(k=k, fail=levels[0], passes=a, lower=low, upper=high if math.isfinite(high) else None))
            passed = passed or within
        if passed and k >= 5:
            return 'pass', k, looks
    return 'inconclusive', K, looks


def ratio_rows(rng, K, n, m, p, effect, cv=0.0, missing=0.0, ramp=None):
    rows = []
    for k in range(K):
        share = ramp[k * len(ramp) // K] if ramp else 1
        nn, mm = rng.poisson(n * share), rng.poisson(m)
        rate = p * math.exp(rng.normal(0, cv)) if cv else p
        rate2 = p * math.exp(rng.normal(0, cv)) if cv else p
        row = [int(min(nn, rng.poisson(nn * rate2 * effect))), int(nn), int(min(mm, rng.poisson(mm * rate))), int(mm)]
        if missing and rng.random() < missing:
            row[rng.choice([1, 3])] = 0
        if row[1] == 0:
            row[0] = 0
        if row[3] == 0:
            row[2] = 0
        rows.append(row)
    return rows


def value_rows(rng, K, level, sd, effect, phi=0.0, missing=0.0, spikes=0.0):
    rows, e = [], 0.0
    for _ in range(K):
        e = phi * e + math.sqrt(1 - phi * phi) * rng.normal(0, sd)
        common = math.exp(rng.normal(0, .2))
        c, b = level * common * effect * math.exp(e), level * common
        if spikes and rng.random() < spikes:
            c *= 5
        row = [round(c, 6), round(b, 6)]
        if missing and rng.random() < missing:
            row[rng.choice([0, 1])] = None
        rows.append(row)
    return rows


def main():
    rng = np.random.default_rng(20261123)
    cases = []

    def add(name, kind, tolerance, rows, direction='increase', absolute=False, floor=0.0):
        c = dict(name=name, kind=kind, K=len(rows), tolerance=tolerance, direction=direction, absolute=absolute,
                 floor=floor, rows=rows)
        c['verdict'], c['look'], c['looks'] = judge(c)
        c['looks'] = c['looks'][::4] + c['looks'][-1:]
        cases.append(c)

    for effect in (1, 1.5, 2.5, 6):
        add(f'poisson x{effect}', 'ratio', .5, ratio_rows(rng, 40, 500, 4500, .01, effect))
        add(f'side noise x{effect}', 'ratio', .25, ratio_rows(rng, 24, 800, 800, .02, effect, cv=.3))
        add(f'floor x{effect}', 'ratio', .25, ratio_rows(rng, 30, 1000, 3000, .0004, effect), floor=.001)
        add(f'missing x{effect}', 'ratio', .25, ratio_rows(rng, 24, 400, 1600, .03, effect, missing=.25))
        add(f'ramp x{effect}', 'ratio', .5, ratio_rows(rng, 40, 2000, 2000, .01, effect, ramp=[.01, .05, .1, .5]))
        add(f'absolute x{effect}', 'ratio', .01, ratio_rows(rng, 20, 600, 1200, .01, effect), absolute=True)
        add(f'value x{effect}', 'value', .1, value_rows(rng, 30, 200, .05, 1 + (effect - 1) / 10, phi=.4))
        add(f'value missing x{effect}', 'value', .1, value_rows(rng, 24, 3, .08, 1 + (effect - 1) / 8, missing=.2))
    add('ratio decrease, halved', 'ratio', .25, ratio_rows(rng, 40, 1000, 1000, .05, .5), direction='decrease')
    add('ratio decrease, same', 'ratio', .25, ratio_rows(rng, 40, 1000, 1000, .05, 1), direction='decrease')
    add('too much missing', 'ratio', .25, ratio_rows(rng, 20, 400, 1600, .03, 6, missing=.9))
    add('spikes', 'value', .1, value_rows(rng, 40, 50, .04, 1, spikes=.05))
    add('late regression', 'value', .1, value_rows(rng, 30, 50, .04, 1.3)[:0]
        + value_rows(rng, 20, 50, .15, 1) + value_rows(rng, 28, 50, .04, 1.6))
    add('late errors', 'ratio', .5, ratio_rows(rng, 20, 500, 1500, .003, 1) + ratio_rows(rng, 28, 500, 1500, .003, 20))
    for effect in (.5, .85, 1, 1.3):
        add(f'value decrease x{effect}', 'value', .1, value_rows(rng, 24, 10, .05, effect), direction='decrease')
        add(f'value absolute x{effect}', 'value', 2.0, value_rows(rng, 20, 10, .05, effect), absolute=True)
        add(f'value linear x{effect}', 'value', .1,
            [[round(a - 4, 6), round(b - 4, 6)] for a, b in value_rows(rng, 24, 10, .05, effect)])
    for p in (0.0, .3, 1.0):
        add(f'checks failing {p}', 'checks', .2,
            [[int(rng.random() < p), 1, int(rng.random() < .02), 1] for _ in range(40)], absolute=True)
    add('checks, three runs a step', 'checks', .15,
        [[int(rng.binomial(3, .02)), 3, int(rng.binomial(3, .02)), 3] for _ in range(30)], absolute=True)
    print(json.dumps(cases))


if __name__ == '__main__':
    main()
