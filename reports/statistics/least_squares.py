"""Least squares with standard errors that allow for unequal variances.

HC3: MacKinnon and White (1985), recommended at these sizes by Long and Ervin (2000).
"""

from dataclasses import dataclass

import numpy as np

from reports.results.measures import NotComputable
from reports.statistics.arrays import TOLERANCE, Floats
from reports.wording import in_words


@dataclass(frozen=True)
class Fit:
    """A least-squares fit: per column of the design its coefficient and standard error (HC3)."""

    coefficients: Floats
    errors: Floats
    freedom: int
    r_squared: float
    r_squared_adjusted: float


def least_squares(design: Floats, y: Floats) -> Fit | NotComputable:
    """Fit ``y`` on the columns of ``design``, the first of which is the intercept's (all ones)."""
    n, k = design.shape
    if n <= k:
        return NotComputable(f"{in_words(n).capitalize()} people are too few for {k} coefficients.")
    scale = np.sqrt(np.mean(design**2, axis=0))
    if (scale == 0).any() or np.linalg.matrix_rank(design / scale, tol=TOLERANCE) < k:
        return NotComputable("The covariates follow from one another.")
    q, r = np.linalg.qr(design / scale)
    inverse = np.linalg.inv(r)
    coefficients = inverse @ (q.T @ y)
    residuals = y - (design / scale) @ coefficients
    residuals[np.abs(residuals) <= TOLERANCE * max(1.0, float(np.max(np.abs(y), initial=0.0)))] = 0.0
    leverage = np.sum(q**2, axis=1)
    if (leverage > 1 - TOLERANCE).any():
        return NotComputable("A covariate sets one person apart, so the error of its coefficient is not known.")
    bread = inverse @ q.T  # (k, n): the coefficients are bread @ y
    covariance = (bread * (residuals / (1 - leverage)) ** 2) @ bread.T
    total = float(np.sum((y - y.mean()) ** 2))
    left = float(np.sum(residuals**2))
    r_squared = float(np.clip(1 - left / total, 0, 1)) if total > 0 else 0.0
    return Fit(
        coefficients=coefficients / scale,
        errors=np.sqrt(np.diag(covariance)) / scale,
        freedom=n - k,
        r_squared=r_squared,
        r_squared_adjusted=1 - (1 - r_squared) * (n - 1) / (n - k),
    )
