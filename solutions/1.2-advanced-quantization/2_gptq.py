# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Quantize a layer so that its errors cancel: GPTQ
#
# **You end with:** your own GPTQ, from the calibration data to the codes, run over a whole language
# model at 4, 3 and 2 bits, beside rounding to nearest in held-out perplexity.
#
# About 120 minutes. 38 points: 35 graded by machine, 3 by a person. Runs on a laptop, no GPU, no
# network. You need groups and scales (1.1, lesson 3), matrix products and what a Cholesky factor is.
#
# Everything is float64 NumPy: $R$ output rows, $K$ input columns.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine
# %% role="given" id="setup"
import itertools
import os
import time
from collections.abc import Callable, Iterable

# Read when NumPy is imported. On matrices this small a second thread mostly waits.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch

from autograder import check
from lab.fake_quant import with_weights
from lab.gptq_library import library_gptq
from lab.layerwise import calibration_inputs, quantize_layerwise
from lab.lm import calibration_batch, load_lm
from lab.perplexity import token_losses
from lab.plots import COLOURS, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.timing import measure

profile = use_profile(PROFILE)
profile


# %% role="given" id="setup-grid"
def min_max_grid(w: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """One asymmetric grid for each row of w (R, n): scale (R,) and zero-point (R,), float64.

    The range of a row is [min, max], widened to contain 0; codes are 0 to 2**bits - 1.
    """
    low, high = np.minimum(w.min(axis=1), 0), np.maximum(w.max(axis=1), 0)
    scale = (high - low) / (2**bits - 1)
    scale = np.where(scale > 0, scale, 1.0)
    return scale, np.rint(-low / scale) + 0.0  # no -0.0


def encode(w: np.ndarray, scale: np.ndarray, zero: np.ndarray, bits: int) -> np.ndarray:
    """Codes of w, uint8: round to nearest (ties to even), add the zero-point, clip."""
    return np.clip(np.rint(w / scale) + zero, 0, 2**bits - 1).astype(np.uint8)


def decode(codes: np.ndarray, scale: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """The real numbers that the codes stand for, float64."""
    return (codes.astype(np.float64) - zero) * scale


def round_to_nearest(w: np.ndarray, bits: int, group_size: int) -> np.ndarray:
    """RTN, the rival: w (R, K) quantized group by group and restored."""
    parts = []
    for start in range(0, w.shape[1], group_size):
        part = w[:, start : start + group_size]
        scale, zero = (a[:, None] for a in min_max_grid(part, bits))
        parts.append(decode(encode(part, scale, zero, bits), scale, zero))
    return np.concatenate(parts, axis=1)


# %% [markdown]
# ## Nearest is not best
#
# Twelve weights of one neuron in 3 bits. Each can be rounded **down** or **up**: $2^{12} = 4096$ ways.
# The cell tries them all and sorts them by the error of the neuron's *output* on real inputs of the
# shipped language model. Where in that ranking do you expect rounding to nearest?
# %% role="given" id="load-model"
model = load_lm(profile=profile)
calibration = calibration_batch(64, 128, seed=0)
fresh = calibration_batch(16, 128, seed=1)
layer_name = "model.layers.1.self_attn.q_proj"
weight = model.get_submodule(layer_name).weight.float().cpu().numpy().astype(np.float64)
inputs = calibration_inputs(model, calibration, layer_name)  # a list of (tokens, K), float32
fresh_inputs = calibration_inputs(model, fresh, layer_name)
rows, columns = weight.shape
print(f"{layer_name}: {rows} x {columns}, {sum(map(len, inputs)):,} calibration tokens")
# %% role="given" id="surprise"
x = np.concatenate(inputs).astype(np.float64)
loudest = np.sort(np.argsort(-np.mean(x**2, axis=0))[:12])  # the columns with the largest inputs
second_moment = x[:, loudest].T @ x[:, loudest] / len(x)
ways = np.array(list(itertools.product([0, 1], repeat=12)))
ranks, gains = [], []
for row in weight[:64]:
    few = row[None, loudest]
    scale, zero = min_max_grid(few, 3)
    down = np.clip(np.floor(few / scale) + zero, 0, 6)
    errors = decode(down + ways, scale, zero) - few
    output_mse = np.einsum("ni,ij,nj->n", errors, second_moment, errors)
    nearest = int(np.argmin(np.sum(errors**2, axis=1)))
    ranks.append(int(np.sum(output_mse < output_mse[nearest])) + 1)
    gains.append(output_mse[nearest] / output_mse.min())
print(f"rounding to nearest ranks {np.median(ranks):.0f} of 4096 (median of 64 neurons)")
print(f"it is the best choice for {np.mean(np.array(ranks) == 1):.0%} of the neurons")
print(f"the best choice has {np.median(gains):.1f} times less output error (median)")
# %% [markdown] items="1.2.C6"
# **What happened.** Inputs are correlated. If two of them rise and fall together, an error of $+e$ in one
# weight is cancelled by $-e$ in the other. Rounding each weight alone cannot see that.
# %% [markdown] items="1.2.C6"
# Trying all ways is hopeless beyond a dozen weights. GPTQ (Frantar et al. 2023) finds a good way in one
# pass over the columns. The next sections build it: what to minimise, what the data must tell, how to
# repair an error, and how to do that fast.
# %% [markdown] items="1.2.C6"
# ## What to minimise
#
# A linear layer computes $Y = X W^T$, with inputs $X$ of shape $(n, K)$ and weights $W$ of shape $(R,
# K)$. Quantized weights $\hat W$ change the output by $X(W - \hat W)^T$. Its squared size is
#
# $$\lVert X(W-\hat W)^T\rVert^2 = \mathrm{tr}\big((W-\hat W)\,X^TX\,(W-\hat W)^T\big).$$
# %% [markdown] items="1.2.C6"
# So the data enter through one $K \times K$ matrix. Up to a factor it is the **Hessian** of the squared
# output error, the same for every row: $H = \frac{2}{n} X^T X$.
# %% [markdown] items="1.2.C6"
# ### Exercise: the output error, from the Hessian alone
#
# The meter for the whole lesson: the squared output error **relative** to the squared output. The factor
# of $H$ cancels.
#
# <details><summary>Hint 1</summary>$\mathrm{tr}(D H D^T) = \sum_{ij} (DH)_{ij} D_{ij}$: no $R \times R$ matrix
# is needed.</details>
# <details><summary>Hint 2</summary>Compare shapes before you subtract: NumPy would broadcast a wrong one.
# </details>


# %% role="exercise" id="output-error" items="1.2.C6" minutes=8
def output_error(w: np.ndarray, w_hat: np.ndarray, hessian: np.ndarray) -> float:
    """Relative squared output error, tr(D H D^T) / tr(W H W^T) with D = w - w_hat.

    Args:
        w, w_hat: weights before and after, float64, (R, K). Not changed.
        hessian: symmetric, positive semidefinite, float64, (K, K), of any positive scale.

    Returns:
        a float; 0.0 for equal weights, 1.0 for a w_hat of zeros.

    Raises:
        ValueError: w_hat has not w's shape, the Hessian is not (K, K), or tr(W H W^T) is 0.

    >>> output_error(np.array([[1.0, 1.0]]), np.array([[1.5, 0.5]]), np.ones((2, 2)))
    0.0
    """
    ### BEGIN SOLUTION
    columns = w.shape[1]
    if w.shape != w_hat.shape or hessian.shape != (columns, columns):
        raise ValueError(f"w {w.shape}, w_hat {w_hat.shape}, Hessian {hessian.shape} do not fit.")
    change = w - w_hat
    power = np.sum((w @ hessian) * w)
    if power == 0:
        raise ValueError("The layer's output is zero: give it inputs, and weights, that are not.")
    return float(np.sum((change @ hessian) * change) / power)
    ### END SOLUTION


# %% role="check" id="output-error" points=3
check("output-error", output_error)
# %% [markdown] items="1.2.C6"
# ## What the data must tell
#
# Calibration runs a few thousand tokens of text through the model and watches each layer's inputs. They
# come in batches of shape $(\ldots, K)$, too many to keep. Each **row** (token) is a sample. With $n$
# samples so far and $m$ new ones $X$, the mean runs on:
#
# $$H \leftarrow \frac{n}{n+m} H + \frac{2}{n+m} X^T X, \qquad n \leftarrow n + m.$$
# %% [markdown] items="1.2.C6"
# Inputs often arrive in float16. Widen them **before** the product: 65,504 is its largest number.
# %% [markdown] items="1.2.C6 1.2.K4"
# ### Exercise: accumulate the Hessian
#
# Batches may differ in length, and may come from a generator, which can be read only once.
#
# <details><summary>Hint 1</summary><code>x = np.asarray(batch, np.float64).reshape(-1, batch.shape[-1])</code>
# makes rows of tokens.</details>
# <details><summary>Hint 2</summary>Summing $X^TX$ and the count, and dividing once at the end, gives the same
# result as the running mean.</details>


# %% role="exercise" id="calibration-hessian" items="1.2.C6 1.2.K4" minutes=12
def calibration_hessian(batches: Iterable[np.ndarray]) -> np.ndarray:
    """H = 2/n X^T X, where X holds the n rows (tokens) of all batches together.

    Args:
        batches: arrays of floats (float16, float32 or float64), each (..., K) with its own
            number of rows; a batch of 0 rows adds nothing. Perhaps a generator. Not changed.

    Returns:
        hessian: float64, (K, K), computed in float64.

    Raises:
        ValueError: there is no row at all (an empty calibration set), or a batch has another K
            than the first.

    >>> calibration_hessian([np.array([[1.0, 2.0]]), np.array([[3.0, 0.0], [1.0, 1.0]])])
    array([[7.33333333, 2.        ],
           [2.        , 3.33333333]])
    """
    ### BEGIN SOLUTION
    hessian, count = None, 0
    for batch in batches:
        columns = batch.shape[-1]
        x = batch.astype(np.float64).reshape(-1, columns)
        if hessian is None:
            hessian = np.zeros((columns, columns))
        if len(hessian) != columns:
            raise ValueError(f"A batch has {columns} columns, the first had {len(hessian)}.")
        hessian += 2 * (x.T @ x)
        count += len(x)
    if count == 0:
        raise ValueError("The calibration set is empty: give at least one row of inputs.")
    return hessian / count
    ### END SOLUTION


# %% role="check" id="calibration-hessian" points=4
check("calibration-hessian", calibration_hessian)
# %% role="given" id="layer-hessian"
hessian = calibration_hessian(inputs)
fresh_hessian = calibration_hessian(fresh_inputs)
eigenvalues = np.linalg.eigvalsh(hessian)
half = int(np.searchsorted(np.cumsum(eigenvalues[::-1]) / eigenvalues.sum(), 0.5)) + 1
scaled = hessian / np.sqrt(np.outer(np.diag(hessian), np.diag(hessian)))
print(f"largest over smallest eigenvalue: {eigenvalues[-1] / max(eigenvalues[0], 1e-300):.2g}")
print(f"half of the inputs' power lies in {half} of {columns} directions")
print(
    f"mean |correlation| of two inputs: {np.abs(scaled[~np.eye(columns, dtype=bool)]).mean():.3f}"
)
# %% [markdown] items="1.2.C6"
# **What you should see.** The eigenvalues span orders of magnitude. Directions with large ones are where
# an error is loud; in the others it is nearly free. GPTQ turns the rounding error into the quiet
# directions.
#
# If $X$ has fewer rows than columns, or a column is always zero, some eigenvalues are **exactly** 0: $H$
# has no inverse. That must be repaired first.
# %% [markdown] items="1.2.C6"
# ## Dead columns and damping
#
# A column whose input was never anything but zero is **dead**: $H_{jj} = 0$. Its weights cannot matter,
# so they become 0, and $H_{jj} = 1$ makes the matrix regular there.
# %% [markdown] items="1.2.C6"
# Then **damping**: add a constant to every diagonal element, a share $p$ (`percdamp`, usually 0.01) of
# the diagonal's mean:
#
# $$H \leftarrow H + p \cdot \Big(\frac1K \sum_j H_{jj}\Big) I.$$
#
# It makes $H$ invertible, and keeps GPTQ from trusting directions that so few tokens cannot tell.
# %% [markdown] items="1.2.C6 1.2.K4"
# ### Exercise: make the Hessian safe
#
# Dead columns first; the mean is taken **after** their ones are in, as in the authors' code.
#
# <details><summary>Hint</summary><code>h[dead, dead] = 1</code> writes on the diagonal only, and
# <code>np.diag_indices</code> or <code>damp * np.eye(K)</code> adds to it.</details>


# %% role="exercise" id="damp-hessian" items="1.2.C6 1.2.K4" minutes=10
def damp_hessian(
    hessian: np.ndarray, w: np.ndarray, percdamp: float = 0.01
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Repair dead columns, then damp the diagonal.

    Args:
        hessian: symmetric, float64, (K, K). Not changed.
        w: weights, float64, (R, K). Not changed.
        percdamp: the share of the diagonal's mean that is added; 0.01 is 1 %. 0 adds nothing.

    Returns:
        hessian: always a new array: diagonal 1 in dead columns, then percdamp * mean(diagonal) added to
            every diagonal element.
        w: always a new array, 0 in the dead columns.
        dead: bool, (K,), True where hessian[j, j] was exactly 0.

    Raises:
        ValueError: percdamp is negative.

    >>> h, w, dead = damp_hessian(np.diag([3.0, 0.0]), np.array([[5.0, 7.0]]), percdamp=0.5)
    >>> h.tolist(), w.tolist(), dead.tolist()
    ([[4.0, 0.0], [0.0, 2.0]], [[5.0, 0.0]], [False, True])
    """
    ### BEGIN SOLUTION
    if percdamp < 0:
        raise ValueError(f"percdamp is {percdamp}: give 0 or more.")
    dead = np.diag(hessian) == 0
    hessian, w = hessian.copy(), w.copy()
    hessian[dead, dead] = 1
    w[:, dead] = 0
    hessian += percdamp * np.diag(hessian).mean() * np.eye(len(hessian))
    return hessian, w, dead
    ### END SOLUTION


# %% role="check" id="damp-hessian" points=4
check("damp-hessian", damp_hessian)
# %% [markdown] items="1.2.C6"
# ## How to repair an error
#
# Quantize weight $j$ of a row, and let the weights that are still free, $F = \{j, j+1, \dots\}$, move so
# that the output changes least. Optimal Brain Surgeon (Hassibi and Stork 1993) has the answer in closed
# form. With $A = (H_F)^{-1}$, the inverse of the Hessian **of the free weights**:
#
# $$w_F \leftarrow w_F - \frac{w_j - \hat w_j}{A_{jj}}\, A_{j,:}$$
# %% [markdown] items="1.2.C6"
# The formula sets $w_j$ to $\hat w_j$ and spreads the repair over the later columns. Then $F$ shrinks by
# one, and $A$ changes.
# %% [markdown] items="1.2.C6"
# **Two weights by hand.** $w = (0.4,\ 0.4)$, integers as the grid, inputs that agree closely:
#
# $$H = \begin{pmatrix} 1 & 0.9 \\ 0.9 & 1 \end{pmatrix},\quad H^{-1} = \frac{1}{0.19}\begin{pmatrix} 1 & -0.9 \\
# -0.9 & 1 \end{pmatrix}.$$
#
# $\hat w_1 = 0$, lost: 0.4. The second weight moves by $-0.4 \cdot (-0.9) = +0.36$ to $0.76$, and rounds
# to 1. Output error: $(0.4, -0.6)$ gives $0.088$; nearest, $(0.4, 0.4)$, gives $0.608$.
# %% [markdown] items="1.2.C6"
# ## All the inverses at once
#
# A new inverse for every $j$ would cost $K$ inversions. All that is needed of them is one row each, and
# all the rows together are one triangular matrix: the **upper Cholesky factor** $U$ of the inverse,
#
# $$H^{-1} = U^T U, \qquad U_{j,j:} = \frac{A_{j,:}}{\sqrt{A_{jj}}}, \quad A = (H_{j:,\,j:})^{-1}.$$
#
# So $A_{j,:}/A_{jj} = U_{j,j:}/U_{jj}$: one factorization before the loop serves all columns, and all
# rows of $W$.
# %% [markdown] items="1.2.C6 1.2.K4"
# ### Exercise: the Cholesky factor of the inverse
#
# Careful with the order: $U^T U$ has the **lower** triangle on the left. A Hessian that is not positive
# definite (singular, for want of damping) must be refused with advice. `np.linalg.LinAlgError` is a
# `ValueError`, but its text does not help.
#
# <details><summary>Hint 1</summary><code>np.linalg.cholesky(a)</code> returns lower L with a = L Lᵀ.</details>
# <details><summary>Hint 2</summary>With a = H⁻¹: U = Lᵀ.</details>
# <details><summary>Hint 3</summary><code>try: ... except np.linalg.LinAlgError as error: raise ValueError("... damp
# ...") from error</code></details>


# %% role="exercise" id="inverse-cholesky" items="1.2.C6 1.2.K4" minutes=12
def inverse_cholesky(hessian: np.ndarray) -> np.ndarray:
    """The upper triangular U, with a positive diagonal, such that inv(hessian) = U.T @ U.

    Args:
        hessian: symmetric positive definite, float64, (K, K). Not changed.

    Returns:
        u: float64, (K, K), zeros below the diagonal.

    Raises:
        ValueError: the Hessian is not positive definite (singular ones included). The message
            holds the word "damp", for that is the remedy.

    >>> inverse_cholesky(np.array([[4.0, 0.0], [0.0, 0.25]]))
    array([[0.5, 0. ],
           [0. , 2. ]])
    """
    ### BEGIN SOLUTION
    try:
        np.linalg.cholesky(hessian)  # of an indefinite matrix the inverse exists all the same
        return np.linalg.cholesky(np.linalg.inv(hessian)).T.copy()
    except np.linalg.LinAlgError as error:
        raise ValueError("The Hessian is not positive definite: raise the damping.") from error
    ### END SOLUTION


# %% role="check" id="inverse-cholesky" points=4
check("inverse-cholesky", inverse_cholesky)
# %% role="given" id="inverse-at-work"
damped, clean, dead = damp_hessian(hessian, weight)
started = time.perf_counter()
u = inverse_cholesky(damped)
factor_ms = (time.perf_counter() - started) * 1e3
started = time.perf_counter()
direct = np.linalg.inv(damped[5:, 5:])[0]  # the row that column 5 needs, from an inverse of its own
one_inverse_ms = (time.perf_counter() - started) * 1e3
print(f"{dead.sum()} dead columns")
print(f"row 5 agrees to {np.abs(direct / direct[0] - u[5, 5:] / u[5, 5]).max():.1e}")
print(f"one factor {factor_ms:.0f} ms; an inverse for each of {columns} columns, each up to "
      f"{one_inverse_ms:.0f} ms")  # fmt: skip
# %% [markdown] items="1.2.C6"
# ## The column loop
#
# For $j = 0, \dots, K-1$, all rows of $W$ at once:
#
# 1. quantize column $j$ **as it is now**: codes $q$, restored $\hat w$;
# 2. error $e_j = (w_j - \hat w_j)/U_{jj}$, shape $(R,)$;
# 3. every later column $k$: $w_k \leftarrow w_k - e_j\,U_{jk}$.
# %% [markdown] items="1.2.C6"
# The error is kept in units of $U_{jj}$, because step 3 then needs one row of $U$ and no division. The
# sum of the $e_j^2$ is the output error that remains (times $n/2$).
# %% [markdown] items="1.2.C6 1.2.K4"
# ### Exercise: quantize column by column
#
# Each row has its own, fixed grid here. Use `encode` and `decode` from the top of the notebook.
#
# <details><summary>Hint 1</summary>Work on a copy: <code>w = w.copy()</code>.</details>
# <details><summary>Hint 2</summary><code>w[:, j + 1:] -= np.outer(e, u[j, j + 1:])</code></details>


# %% role="exercise" id="gptq-columns" items="1.2.C6 1.2.K4" minutes=15
def gptq_columns(
    w: np.ndarray, u: np.ndarray, scale: np.ndarray, zero: np.ndarray, bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """Quantize the columns of w from left to right, each error repaired in the columns to its right.

    Args:
        w: weights, float64, (R, K). Not changed.
        u: upper triangular, float64, (K, K), from inverse_cholesky.
        scale, zero: the grid of each row, float64, (R,); see encode.
        bits: 1 to 8.

    Returns:
        codes: uint8, (R, K), from 0 to 2**bits - 1.
        errors: float64, (R, K); column j is (w_j - restored_j) / u[j, j], with w_j as it was when
            its turn came.

    >>> u = inverse_cholesky(np.array([[1.0, 0.9], [0.9, 1.0]]))
    >>> codes, errors = gptq_columns(np.array([[0.4, 0.4]]), u, np.ones(1), np.zeros(1), bits=2)
    >>> codes.tolist(), errors.round(3).tolist()
    ([[0, 1]], [[0.174, -0.24]])
    """
    ### BEGIN SOLUTION
    w, codes, errors = w.copy(), np.zeros(w.shape, np.uint8), np.zeros(w.shape)
    for j in range(w.shape[1]):
        codes[:, j] = encode(w[:, j], scale, zero, bits)
        errors[:, j] = (w[:, j] - decode(codes[:, j], scale, zero)) / u[j, j]
        w[:, j + 1 :] -= np.outer(errors[:, j], u[j, j + 1 :])
    return codes, errors
    ### END SOLUTION


# %% role="check" id="gptq-columns" points=6
check("gptq-columns", gptq_columns)
# %% [markdown] items="1.2.K4"
# **Predict.** The layer of the beginning, 3 bits, one grid per row. By what factor is GPTQ's squared
# **output** error below that of rounding to nearest? (Below 1 if it is worse.) And will its **weights**
# lie nearer to the originals, or further away?
# %% role="predict" id="predict-gain"
my_factor = ...
# %% role="given" id="first-result"
scale, zero = min_max_grid(clean, 3)
started = time.perf_counter()
codes, errors = gptq_columns(clean, u, scale, zero, bits=3)
plain_s = time.perf_counter() - started
by_gptq = decode(codes, scale[:, None], zero[:, None])
by_rtn = round_to_nearest(clean, 3, columns)
first = {}
for name, restored in (("RTN", by_rtn), ("GPTQ", by_gptq)):
    first[name] = (
        float(np.mean((weight - restored) ** 2)),
        output_error(weight, restored, hessian),
        output_error(weight, restored, fresh_hessian),
    )
    print(f"{name:5s} weight MSE {first[name][0]:.3e}   output error {first[name][1]:.4f}, "
          f"on other text {first[name][2]:.4f}")  # fmt: skip
print(f"weight MSE: GPTQ / RTN = {first['GPTQ'][0] / first['RTN'][0]:.2f}")
reveal(my_factor, first["RTN"][1] / first["GPTQ"][1], "times")
# %% [markdown] items="1.2.C6 1.2.K4"
# **What you should see.** The weights are **worse**, the output is several times **better**. Each weight
# gave up its nearest code to cancel errors of those before it. Whoever judges a quantizer by the weight
# MSE would throw the better one away.
#
# The third figure is the honest one: text that the Hessian has not seen.
# %% [markdown] items="1.2.C6"
# ## Lazy updates, a block at a time
#
# Step 3 touches all later columns for every $j$: $K$ passes with one product per number, so memory bandwidth
# decides. But column $k$ needs updates only when its turn comes. So work in **blocks** of $B = 128$ columns: inside
# a block as before; then **one** product updates all later columns:
#
# $$W_{:,\,end:} \leftarrow W_{:,\,end:} - E\; U_{start:end,\ end:},\qquad E: (R, B).$$
#
# The result is the same up to float rounding.
# %% [markdown] items="1.2.C6"
# ### Exercise: go from block to block
#
# The work inside a block is handed to you as `solve_block`, so that any grid can be used later.
#
# <details><summary>Hint 1</summary><code>for start in range(0, K, block_size): end = min(start + block_size,
# K)</code></details>
# <details><summary>Hint 2</summary>The block's own part of U is <code>u[start:end, start:end]</code>; the part for the
# later columns is <code>u[start:end, end:]</code>.</details>


# %% role="exercise" id="gptq-blocks" items="1.2.C6" minutes=12
def gptq_blocks(
    w: np.ndarray, u: np.ndarray, solve_block: Callable, block_size: int = 128
) -> np.ndarray:
    """Quantize w block by block; later columns are updated once, after each block.

    Args:
        w: weights, float64, (R, K). Not changed.
        u: upper triangular, float64, (K, K).
        solve_block: called once for each block, from left to right, as solve_block(w_block, u_block)
            with w_block (R, n), brought up to date by all earlier blocks, and u_block (n, n), the
            block of u on the diagonal. Returns (codes, errors): uint8 and float64, both (R, n).
            n is block_size; in the last block it may be less.
        block_size: at least 1.

    Returns:
        codes: uint8, (R, K), from the blocks side by side.

    Raises:
        ValueError: block_size is below 1.

    >>> def halves(w_block, u_block):
    ...     return np.floor(w_block).astype(np.uint8), w_block - np.floor(w_block)
    >>> gptq_blocks(np.array([[1.5, 1.0]]), np.array([[1.0, -1.0], [0.0, 1.0]]), halves, 1)
    array([[1, 1]], dtype=uint8)
    """
    ### BEGIN SOLUTION
    if block_size < 1:
        raise ValueError(f"block_size is {block_size}: give 1 or more.")
    w, codes = w.copy(), np.zeros(w.shape, np.uint8)
    for start in range(0, w.shape[1], block_size):
        end = min(start + block_size, w.shape[1])
        block_codes, errors = solve_block(w[:, start:end].copy(), u[start:end, start:end])
        codes[:, start:end] = block_codes
        w[:, end:] -= errors @ u[start:end, end:]
    return codes
    ### END SOLUTION


# %% role="check" id="gptq-blocks" points=4
check("gptq-blocks", gptq_blocks)
# %% role="given" id="block-times"
# Only the time is measured here, so the matrix is a random one of 512 x 512.
big = np.random.default_rng(0).standard_normal((512, 512))
big_u = inverse_cholesky(big.T @ big / 512 + np.eye(512))
big_scale, big_zero = min_max_grid(big, 3)


def solve_big(w_block, u_block):
    return gptq_columns(w_block, u_block, big_scale, big_zero, 3)


one_block = gptq_blocks(big, big_u, solve_big, 512)
block_ms = {}
for size in (512, 256, 128, 64, 32, 8):
    timed = measure(lambda size=size: gptq_blocks(big, big_u, solve_big, size), warmup=1, repeats=5)
    same = np.mean(gptq_blocks(big, big_u, solve_big, size) == one_block)
    block_ms[size] = timed.median_ms
    print(
        f"blocks of {size:3d}: {timed.median_ms:6.1f} ms, {same:.4%} of the codes as with one block"
    )
print(f"{profile.hardware if profile.device == 'cpu' else 'NumPy, on the CPU'}; median of 5 runs")
# %% [markdown] items="1.2.C6"
# **What you should see.** The same codes (a rare one may tip where a weight lies on the edge between
# two), and less time with middle-sized blocks than with one block for all; with very small ones the
# products get thin. On a GPU, where a large model's matrix does not fit the cache, the gain is larger
# (Frantar et al. 2023, section 3, "Lazy Batch-Updates").
# %% [markdown] items="1.2.C6"
# ## Groups: the grid follows the repair
#
# With one grid per row, $K$ weights share $2^b$ levels. **Groups** of $g$ neighbouring columns get a grid
# each, as in lesson 3 of 1.1. When? Weights move during the loop, so a group's grid is made when its
# **first column's turn comes**, from the weights as they are **then**, all repairs by earlier groups
# included. Blocks of $g$ columns give exactly that.
# %% [markdown] items="1.2.C6 1.2.K4"
# ### Exercise: a grid for each group
#
# <details><summary>Hint 1</summary>Write a <code>solve(w_block, u_block)</code> inside your function that makes the grid with
# <code>min_max_grid(w_block, bits)</code>, keeps it in a list, and calls <code>gptq_columns</code>.</details>
# <details><summary>Hint 2</summary>Then <code>gptq_blocks(w, u, solve, group_size)</code> does the rest;
# <code>np.stack(scales, axis=1)</code>.</details>


# %% role="exercise" id="gptq-groups" items="1.2.C6 1.2.K4" minutes=12
def gptq_groups(
    w: np.ndarray, u: np.ndarray, bits: int, group_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """GPTQ with one asymmetric grid for each row and group of `group_size` neighbouring columns.

    The grid of a group is min_max_grid of its (R, group_size) weights, after all errors of the
    groups to its left have been repaired and before its own first column is quantized.

    Args:
        w: weights, float64, (R, K). Not changed.
        u: upper triangular, float64, (K, K), from inverse_cholesky.
        bits: 1 to 8.
        group_size: divides K; K itself gives one grid per row.

    Returns:
        codes: uint8, (R, K).
        scales, zeros: float64, (R, K // group_size).

    Raises:
        ValueError: group_size is below 1 or does not divide K.

    >>> codes, scales, zeros = gptq_groups(np.array([[3.0, 1.0, -6.0, 2.0]]), np.eye(4), 2, 2)
    >>> codes.tolist(), scales.round(3).tolist(), zeros.tolist()
    ([[3, 1, 0, 3]], [[1.0, 2.667]], [[0.0, 2.0]])
    """
    ### BEGIN SOLUTION
    if group_size < 1 or w.shape[1] % group_size:
        raise ValueError(f"Groups of {group_size} do not divide {w.shape[1]} columns.")
    scales, zeros = [], []

    def solve(w_block, u_block):
        scale, zero = min_max_grid(w_block, bits)
        scales.append(scale)
        zeros.append(zero)
        return gptq_columns(w_block, u_block, scale, zero, bits)

    codes = gptq_blocks(w, u, solve, group_size)
    return codes, np.stack(scales, axis=1), np.stack(zeros, axis=1)
    ### END SOLUTION


# %% role="check" id="gptq-groups" points=4
check("gptq-groups", gptq_groups)
# %% [markdown] items="1.2.C6"
# ## Act order: loud columns first
#
# The last columns have nobody left to repair their errors. `desc_act=True` takes the columns in
# **descending** order of $H_{jj}$, twice the mean square of their input: loud ones first, while there are many
# to repair them, quiet ones last.
# %% [markdown] items="1.2.C6"
# Permute the columns of $W$, and rows **and** columns of $H$, solve, and put the codes back. Groups are
# now cut from the *permuted* columns: column $j$'s grid is no longer $\lfloor j/g \rfloor$, so an index
# **`g_idx`** must be stored.
# %% [markdown] items="1.2.C6 1.2.K4"
# ### Exercise: the whole layer
#
# All the parts in order: damp, (permute), factor, groups, (put back), restore.
#
# <details><summary>Hint 1</summary><code>order = np.argsort(-np.diag(h), kind="stable")</code>, or
# <code>np.arange(K)</code> without desc_act. <code>h[order][:, order]</code> permutes both sides.</details>
# <details><summary>Hint 2</summary>Undo it with <code>back = np.argsort(order)</code>: <code>codes[:, back]</code>.
# </details>
# <details><summary>Hint 3</summary><code>g_idx = (np.arange(K) // group_size)[back]</code>, and
# <code>scales[:, g_idx]</code> has one scale for each column.</details>


# %% role="exercise" id="gptq-layer" items="1.2.C6 1.2.K4" minutes=20
def gptq_layer(
    w: np.ndarray,
    hessian: np.ndarray,
    bits: int = 4,
    group_size: int = 128,
    percdamp: float = 0.01,
    desc_act: bool = False,
) -> dict[str, np.ndarray]:
    """Quantize one layer with GPTQ: dead columns, damping, column order, groups, restored weight.

    With desc_act the columns are solved in descending order of the Hessian's diagonal (after
    damp_hessian); equal ones keep their order. Groups are cut in the order of solving.

    Args:
        w: weights, float64, (R, K). Not changed.
        hessian: float64, (K, K), from calibration_hessian. Not changed.
        bits: 1 to 8.
        group_size: divides K.
        percdamp: as in damp_hessian.
        desc_act: whether to reorder.

    Returns:
        a dict, its columns in w's own order:
        codes: uint8, (R, K).
        scales, zeros: float64, (R, K // group_size), in the order in which groups were solved.
        g_idx: integers, (K,); the group of each column.
        weight: float64, (R, K), (codes - zeros[:, g_idx]) * scales[:, g_idx].

    Raises:
        ValueError: group_size does not divide K, the Hessian is not (K, K), percdamp is negative, or
            the damped Hessian is not positive definite.

    >>> h = np.diag([1.0, 1.0, 9.0, 4.0])
    >>> made = gptq_layer(np.array([[3.0, 1.0, -6.0, 2.0]]), h, 2, group_size=2, desc_act=True)
    >>> made["g_idx"].tolist(), made["codes"].tolist(), made["weight"].round(3).tolist()
    ([1, 1, 0, 0], [[3, 1, 0, 3]], [[3.0, 1.0, -5.333, 2.667]])
    """
    ### BEGIN SOLUTION
    columns = w.shape[1]
    if hessian.shape != (columns, columns):
        raise ValueError(f"{columns} columns need a Hessian of that size, not {hessian.shape}.")
    h, w, _ = damp_hessian(hessian, w, percdamp)
    order = np.argsort(-np.diag(h), kind="stable") if desc_act else np.arange(columns)
    back = np.argsort(order)
    u = inverse_cholesky(h[order][:, order])
    codes, scales, zeros = gptq_groups(w[:, order], u, bits, group_size)
    codes, g_idx = codes[:, back], (np.arange(columns) // group_size)[back]
    restored = decode(codes, scales[:, g_idx], zeros[:, g_idx])
    return {
        "codes": codes,
        "scales": scales,
        "zeros": zeros,
        "g_idx": g_idx,
        "weight": restored,
    }
    ### END SOLUTION


# %% role="check" id="gptq-layer" points=6
check("gptq-layer", gptq_layer)
# %% [markdown] items="1.2.K4"
# ## What desc_act changes
#
# The same layer at 3 bits with groups of 256 (one per row) down to 32, in the natural order and in act
# order. Judged on the text that the Hessian has not seen.
# %% role="given" id="act-order-table"
order_error = {}
print("group   RTN      GPTQ     GPTQ, act order   bits a weight")
for size in (256, 128, 64, 32):
    plain = gptq_layer(weight, hessian, 3, size)
    acted = gptq_layer(weight, hessian, 3, size, desc_act=True)
    order_error[size] = [
        output_error(weight, restored, fresh_hessian)
        for restored in (round_to_nearest(weight, 3, size), plain["weight"], acted["weight"])
    ]
    rtn_error, plain_error, acted_error = order_error[size]
    stored = 3 + (16 + 3) / size  # a float16 scale and a 3-bit zero-point for each group
    print(
        f"{size:5d}   {rtn_error:.4f}   {plain_error:.4f}   {acted_error:.4f}            {stored:.2f}"
    )
loudness = np.diag(hessian)
print(f"loudest over median column: {loudness.max() / np.median(loudness):.0f} times")
jumps = np.mean(np.diff(acted["g_idx"]) != 0)
print(f"with act order, neighbouring columns are in different groups {jumps:.0%} of the time")
# %% [markdown] items="1.2.K4"
# **What you should see.** Act order lowers this layer's error at every group size: some columns are far
# louder than the rest. Smaller groups help RTN and GPTQ alike, and cost bits. Whether the whole model
# gains, only its perplexity can tell: below.
#
# The price of act order is paid at **inference**: neighbouring columns have different grids, so a kernel
# must look up `g_idx` for each column, or permute the activations. That is why libraries ship it as an
# option.
# %% [markdown] items="1.2.C6"
# ## Turn the knobs: data and damping
#
# The output error of one layer against the damping. **Ask yourself first:** what does GPTQ become when
# the damping is huge, and what happens when the calibration set has fewer tokens (128) than the layer has
# columns (256)?
# %%
damping_grid = np.logspace(-5, 2, 8)
damping_cache = {}
token_rows = np.concatenate(inputs)


def damping_errors(tokens, bits):
    """Output error on the calibration tokens and on fresh text, for each damping, (8, 2)."""
    if (tokens, bits) not in damping_cache:
        few = calibration_hessian([token_rows[:tokens]])
        damping_cache[tokens, bits] = []
        for percdamp in damping_grid:
            made = gptq_layer(weight, few, bits, columns, percdamp)["weight"]
            both = output_error(weight, made, few), output_error(weight, made, fresh_hessian)
            damping_cache[tokens, bits].append(both)
    return np.array(damping_cache[tokens, bits])


def draw_damping(tokens=128, bits=3):
    seen, unseen = damping_errors(tokens, bits).T
    rival = output_error(weight, round_to_nearest(weight, bits, columns), fresh_hessian)
    fig, axes = figure(height_inch=3.8)
    ax = axes[0, 0]
    for values, name, colour, line in (
        (unseen, "on fresh text", COLOURS[1], "-"),
        (seen, "on the calibration tokens", COLOURS[0], "--"),
    ):
        ax.plot(damping_grid, values, line, marker="o", markersize=4, color=colour, label=name)
    ax.axhline(rival, color=COLOURS[2], linestyle=":", label="RTN, on fresh text")
    ax.set(xscale="log", yscale="log", xlabel="percdamp", ylabel="relative output error")
    best = damping_grid[np.argmin(unseen)]
    ax.set_title(f"{tokens} tokens, {bits} bits: fresh text is best at {best:g}", loc="left")
    ax.legend(fontsize=9)
    return fig, (
        f"Relative output error against percdamp from 1e-5 to 100 for {tokens} calibration tokens "
        f"and {bits} bits. On fresh text it is least, {unseen.min():.4f}, at {best:g}; on the "
        f"calibration tokens it falls to {seen.min():.4f}; RTN has {rival:.4f}, which GPTQ nears "
        "as the damping grows."
    )


explore(draw_damping, tokens=[128, 512, 2048, 8192], bits=[3, 2, 4])
# %% [markdown] items="1.2.C6"
# **What you should see.** With 128 tokens and little damping the calibration error is tiny and the error
# on fresh text several times larger: the layer has learned the sample by heart. More damping closes the gap.
# With 8,192 tokens the two curves lie close, and 0.01 is as good as anything. With huge damping $H$ is
# nearly a multiple of $I$, $U$ is diagonal, nothing is repaired: that is RTN.
# %% [markdown] items="1.2.K4"
# ## The whole model
#
# Block by block: collect the inputs of a block's seven layers, quantize them, run the block again, so
# that the **next** block is calibrated on inputs that carry the errors made so far. Groups of 128. Of 64
# sequences the last 16 are kept out of the Hessian and only measure.
# %% role="given" id="quantize-model"
sequences = calibration_batch(64, 128, seed=0)


def gptq_model(bits: int, desc_act: bool = False):
    """The model after GPTQ, and for each layer what `compare` finds on the kept-out sequences."""
    found = {}

    def change(name, weight, inputs):
        w = weight.astype(np.float64)
        made = gptq_layer(w, calibration_hessian(inputs[:-1]), bits, 128, desc_act=desc_act)[
            "weight"
        ]
        found[name] = compare(w, made, calibration_hessian(inputs[-1:]), bits)
        return made

    return quantize_layerwise(model, sequences, change), found


def compare(w, made, kept_out, bits):
    """Output error of RTN and of `made`, and the mean |correlation| of two of the layer's inputs."""
    size = np.sqrt(np.diag(kept_out))
    correlation = np.abs(kept_out / np.outer(size, size))
    between = (correlation.sum() - len(size)) / (len(size) * (len(size) - 1))
    rtn = round_to_nearest(w, bits, 128)
    return output_error(w, rtn, kept_out), output_error(w, made, kept_out), between


def rtn_model(bits: int):
    """The model with all layers rounded to nearest."""
    return with_weights(
        model,
        lambda _, w: torch.from_numpy(round_to_nearest(w.double().cpu().numpy(), bits, 128)),
    )


losses = {"float": token_losses(model)}  # nats, the same 8,192 held-out tokens for every model
layer_table = {}
for bits in (4, 3, 2):
    losses["RTN", bits] = token_losses(rtn_model(bits))
    quantized, layer_table[bits] = gptq_model(bits)
    losses["GPTQ", bits] = token_losses(quantized)
losses["GPTQ, act order", 2] = token_losses(gptq_model(2, desc_act=True)[0])
perplexities = {key: float(np.exp(values.mean())) for key, values in losses.items()}
# %% role="given" id="layer-figure"
names = [n.removeprefix("model.layers.").replace("self_attn.", "") for n in layer_table[3]]
names = [n.replace("mlp.", "") for n in names]
rtn_errors, gptq_errors, correlations = np.array(list(layer_table[3].values())).T
layer_gain = rtn_errors / gptq_errors
fig, axes = figure(height_inch=4.0)
ax = axes[0, 0]
positions = np.arange(len(names))
ax.vlines(positions, gptq_errors, rtn_errors, color="#999999", linewidth=1)
ax.plot(positions, rtn_errors, "s", color=COLOURS[1], label="RTN")
ax.plot(positions, gptq_errors, "o", color=COLOURS[0], label="GPTQ")
ax.set_xticks(positions, names, rotation=90, fontsize=7)
ax.set(yscale="log", ylabel="relative output error")
ax.set_ylim(top=rtn_errors.max() * 4)
ax.set_title("3 bits: every layer's output on kept-out sequences", loc="left")
ax.legend(loc="upper right", ncols=2)
show(
    fig,
    alt=f"Relative output error of the model's {len(names)} linear layers at 3 bits, log scale. GPTQ "
    f"lies below RTN in {np.sum(layer_gain > 1)} of them, by a factor of {layer_gain.min():.1f} to "
    f"{layer_gain.max():.1f}, median {np.median(layer_gain):.1f}.",
)
print("layers       RTN / GPTQ   mean |correlation| of two inputs")
for kind in ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"):
    mine = [n.endswith(kind) for n in names]
    print(f"{kind:10s} {np.median(layer_gain[mine]):10.1f} {np.median(correlations[mine]):18.3f}")


# %% role="given" id="perplexity-table"
def paired(first_key, second_key):
    """Mean difference of two models' losses, nats a token, and its standard error over 64 windows."""
    difference = (losses[first_key] - losses[second_key]).reshape(64, -1).mean(axis=1)
    return float(difference.mean()), float(difference.std(ddof=1) / 8)


print(f"held-out perplexity; the float model has {perplexities['float']:.2f}")
print("bits      RTN     GPTQ   RTN minus GPTQ, nats   of RTN's rise GPTQ keeps")
kept_share = {}
for bits in (4, 3, 2):
    gain, error = paired(("RTN", bits), ("GPTQ", bits))
    kept_share[bits] = paired(("GPTQ", bits), "float")[0] / paired(("RTN", bits), "float")[0]
    print(f"{bits:4d} {perplexities['RTN', bits]:8.2f} {perplexities['GPTQ', bits]:8.2f} "
          f"{gain:14.4f} +- {error:.4f} {kept_share[bits]:14.0%}")  # fmt: skip
gain, error = paired(("GPTQ", 2), ("GPTQ, act order", 2))
print(f"2 bits, act order: {perplexities['GPTQ, act order', 2]:.2f}, "
      f"{gain:.4f} +- {error:.4f} nats below the natural order")  # fmt: skip
# %% [markdown] items="1.2.K4"
# **What you should see.** At 4 bits with groups of 128 this model loses next to nothing, and the
# difference between the methods is of the size of its standard error: no verdict there. At 3 bits GPTQ
# keeps a third to a half of RTN's rise, at 2 bits about a third, many standard errors apart. Act order,
# which served the single layer, makes no difference beyond its standard error here.
# %% [markdown] items="1.2.K4"
# Layers gain unequally: `down_proj` least. Its inputs are the least correlated, so there is least to
# cancel with.
# %% [markdown] items="1.2.C6"
# ## A figure from the literature, beside yours
#
# LLaMA-7B on WikiText-2, as published with GPTQ's code: float 5.68; 4 bits RTN 6.29, GPTQ 6.09; 3 bits
# RTN 25.54, GPTQ 8.07. The next cell puts the rise in loss (nats a token, $\ln$ of the perplexity ratio)
# side by side.
# %%
published = {("RTN", 4): 6.29, ("GPTQ", 4): 6.09, ("RTN", 3): 25.54, ("GPTQ", 3): 8.07}
for key, theirs in published.items():
    print(f"{key[0]:5s} {key[1]} bits   LLaMA-7B +{np.log(theirs / 5.68):.3f} nats   "
          f"this model +{paired(key, 'float')[0]:.3f} nats")  # fmt: skip
for bits in (4, 3):
    share = np.log(published["GPTQ", bits] / 5.68) / np.log(published["RTN", bits] / 5.68)
    print(f"GPTQ keeps {share:.0%} of RTN's rise at {bits} bits there, {kept_share[bits]:.0%} here")
# %% [markdown]
# **What you should see.** The same order, and a jump from 4 to 3 bits, but far smaller rises: another
# model, another text, and here groups of 128 where theirs have one grid per row. Compare methods on one
# model, never figures across models.
# %% [markdown] items="1.2.K4"
# ## The same settings in GPTQModel
#
# GPTQModel, the successor of the archived AutoGPTQ, takes them in `QuantizeConfig`:
#
# | here | `QuantizeConfig` | its default (7.6.0) |
# |---|---|---|
# | `bits`, `group_size` | `bits`, `group_size` (-1: one per row) | 4, 128 |
# | `percdamp=0.01` | `damp_percent=0.01` | 0.05 |
# | `desc_act` | `desc_act` | `False` |
# | min and max, with zero-point | `sym=False` | `True` |
# | natural column order | `act_group_aware=False` | `True` |
# %% [markdown]
# Where damping fails, it raises the damping by `damp_auto_increment` and tries again. `act_group_aware`
# sorts within groups, then whole groups, so that no `g_idx` lookup is needed.
#
# The cell below gives one layer to the library's own solver. It is off by default: the package is large
# and its import takes seconds. The module's project runs it on the whole model.
# At 4 bits 7.6.0 gave the same weights in either order, but for 0.014 % at most: it computes in float32, and a
# rounding near a tie falls with the processor.
# %% role="given" id="library"
RUN_LIBRARY = False  # True: needs `pip install gptqmodel==7.6.0`
if RUN_LIBRARY:
    for desc_act in (False, True):
        theirs = library_gptq(weight, inputs, bits=4, group_size=128, desc_act=desc_act)
        mine = gptq_layer(weight, hessian, bits=4, group_size=128, desc_act=desc_act)["weight"]
        differs = np.mean(np.abs(theirs - mine) > 1e-4 * np.abs(weight).max())
        print(f"desc_act={desc_act}: {differs:.3%} of the weights differ; output error "
              f"{output_error(weight, theirs, fresh_hessian):.5f} (library), "
              f"{output_error(weight, mine, fresh_hessian):.5f} (yours)")  # fmt: skip
# %% [markdown] items="1.2.C6 1.2.K4"
# ## In your own words
#
# A colleague looks at your 3-bit model: "The weights are further from the originals than with plain
# rounding. Your GPTQ has a bug." She also asks whether to set `desc_act`, and whether 128 tokens are
# enough to calibrate.
#
# Answer all three in 120 to 200 words, with at least three figures from this notebook.
# %% [markdown] role="written" id="gptq-explained" items="1.2.C6 1.2.K4" points=3
# **Model answer.** No bug: GPTQ does not minimise the distance of the weights but that of the layer's
# outputs, $\mathrm{tr}(DHD^T)$. After each column it moves the later ones so that their errors cancel the
# one just made, which correlated inputs allow. A weight therefore often takes a code that is not its
# nearest: the weight MSE rose (by the printed ratio, above 1), while the output error fell several times,
# on text that was not used for calibration as well, and so did the perplexity at 3 bits (quote RTN and
# GPTQ).
#
# desc_act: it quantizes the columns with loud inputs first, while many others can still repair them. In
# the table it lowered one layer's output error at each group size; in perplexity at 2 bits there was no
# difference beyond the standard error. It costs a lookup of each column's group at inference. So: off,
# unless a measurement of the model in question says otherwise.
#
# 128 tokens: fewer than the 256 columns, so $H$ is singular without damping and GPTQ fits the sample: the
# error on the calibration tokens was far below that on fresh text. Thousands of tokens bring them
# together; until then, raise the damping.
#
# **Rubric.** 1 point: names the output error as the goal and cancellation through correlated inputs as
# the reason, with the MSE and the output figures. 1 point: desc_act with its reason, its measured effect
# and its price at inference. 1 point: 128 tokens against 256 columns, rank and overfitting, shown by the
# gap between the two curves. Half a point off where fewer than three figures are quoted.
# %% [markdown]
# ## Recap
#
# - The goal is the layer's output, $\mathrm{tr}(DHD^T)$, and the data enter through $H = \frac2n X^TX$
#   alone.
# - Dead columns get $H_{jj} = 1$ and weights 0; damping makes $H$ invertible and guards against small
#   samples.
# - One upper Cholesky factor of $H^{-1}$ holds the repair rule of every column.
# - Quantize a column, divide its error by $U_{jj}$, subtract its outer product with row $j$ of $U$ from
#   the rest.
# - Blocks make it fast, groups make it finer, act order takes the loud columns first and costs `g_idx`.
#
# **Three questions**
#
# <details><summary>1. The inputs of a layer are uncorrelated and equally loud. What does GPTQ give?</summary>$H$ is a multiple of
# $I$, $U$ is diagonal, nothing is repaired: rounding to nearest.</details>
# <details><summary>2. All inputs are doubled. Which codes change?</summary>None: $H$ and the damping grow by 4, $U$ by 1/2, and the factor
# cancels in error times row.</details>
# <details><summary>3. Two rows of $W$ are equal. Can their codes differ?</summary>No. Rows share $H$ and never see each other; that is
# why all rows are solved at once.</details>
# %% [markdown]
# ## Reading, with what to look for
#
# - Frantar, Ashkboos, Hoefler and Alistarh, *GPTQ: Accurate Post-Training Quantization for Generative
#   Pre-trained Transformers*, ICLR 2023, section 3: arbitrary order, lazy batch updates, the Cholesky
#   form; algorithm 1 is your `gptq_blocks`.
# - Frantar and Alistarh, *Optimal Brain Compression*, NeurIPS 2022: Optimal Brain Quantization, which
#   chooses the next weight greedily for every row. GPTQ gives that up for one order for all rows.
# - Hassibi and Stork, *Second order derivatives for network pruning: Optimal Brain Surgeon*, NIPS 1992:
#   the update formula.
# - Nagel et al., *Up or Down? Adaptive Rounding for Post-Training Quantization*, ICML 2020: that nearest
#   is not best, shown on images.
# - The authors' code, `gptq.py` in IST-DASLab/gptq: 200 lines; find the dead columns, `percdamp`,
#   `actorder`.
#
# **Next:** lesson 3 scales channels instead of repairing errors: AWQ and SmoothQuant.
# %%
# Your result.
print(f"12 weights: rounding to nearest ranks   {np.median(ranks):.0f} of 4096")
print(
    f"3 bits, one layer, output error         {first['RTN'][1] / first['GPTQ'][1]:.1f} times below RTN"
)
print(
    f"3 bits, one layer, weight MSE           {first['GPTQ'][0] / first['RTN'][0]:.1f} times RTN's"
)
print(
    f"3 bits, all layers, output error        {np.median(layer_gain):.1f} times below RTN (median)"
)
for bits in (4, 3, 2):
    print(f"perplexity, {bits} bits, RTN and GPTQ      {perplexities['RTN', bits]:.2f} and "
          f"{perplexities['GPTQ', bits]:.2f}; float {perplexities['float']:.2f}")  # fmt: skip
