"""Levels of the alpha-spending clock by brute force.

    python3 clock.py > clock.json        (four minutes; needs numpy and scipy)

The recursion of Armitage, McPherson & Rowe on 400 Gauss-Legendre panels of 20
nodes from -9 sqrt(I) to the boundary, with every kernel value computed: nothing
of the quadrature under test.
"""
import json
import numpy as np
from scipy import special

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
PANELS = 400


def levels(infos, cums):
    s, mass, info, spent, out = np.zeros(1), np.ones(1), 0.0, 0.0, []
    for i, cum in zip(infos, cums):
        sd = np.sqrt(i - info)
        lo, hi = -10 * np.sqrt(i), 12 * np.sqrt(i)
        for _ in range(200):
            c = (lo + hi) / 2
            if np.dot(mass, special.ndtr((s - c) / sd)) > cum - spent:
                lo = c
            else:
                hi = c
        edges = np.linspace(-9 * np.sqrt(i), hi, PANELS + 1)
        half = (edges[1] - edges[0]) / 2
        grid = ((edges[1:] + edges[:-1])[:, None] / 2 + half * NODES).ravel()
        density = np.zeros_like(grid)
        for k in range(0, len(grid), 500):
            block = grid[k:k + 500, None]
            density[k:k + 500] = np.exp(-((block - s) / sd) ** 2 / 2) @ mass / (sd * np.sqrt(2 * np.pi))
        s, mass, info, spent = grid, density * np.tile(half * WEIGHTS, PANELS), i, cum
        out.append(float(special.ndtr(-hi / np.sqrt(i))))
    return out


def main():
    rng = np.random.default_rng(7)
    cases = []

    def add(name, infos, cums):
        cases.append(dict(name=name, information=[float(i) for i in infos], cumulative=[float(c) for c in cums],
                          level=levels(infos, cums)))

    def spend(error, power, planned, looks):
        return [error * (k / planned) ** power for k in looks]

    looks = range(3, 61)
    add('K=60 sqrt 0.035', looks, spend(.035, .5, 60, looks))
    add('K=60 linear 0.05', looks, spend(.05, 1, 60, looks))
    add('K=60 sqrt 3.5e-5', looks, spend(3.5e-5, .5, 60, looks))
    add('traffic noise 22%, sqrt', np.cumsum(rng.gamma(20, 1 / 20, 60))[2:], spend(.035, .5, 60, looks))
    add('ramp 1 5 10 50', np.cumsum(np.repeat([1, 5, 10, 50], 15))[2:], spend(.05, 1, 60, looks))
    add('ramp 50 10 5 1', np.cumsum(np.repeat([50, 10, 5, 1], 15))[2:], spend(.05, 1, 60, looks))
    add('wild traffic', np.cumsum(np.exp(rng.normal(0, 1.5, 60)))[2:], spend(.005, .5, 60, looks))
    looks = range(4, 121)
    add('K=120 sqrt 7e-5', looks, spend(7e-5, .5, 120, looks))
    print(json.dumps(cases, indent=1))


if __name__ == '__main__':
    main()
