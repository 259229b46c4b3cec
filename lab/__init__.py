"""The learner's bench: devices, data, timing, plots. Importing it costs nothing.

from lab.profile import use_profile, seed_everything
from lab.data import load_mnist, load_sst2, load_text
from lab.timing import measure
from lab.lm import load_lm, load_tokenizer, load_tokens, calibration_batch, complete
from lab.perplexity import perplexity, token_losses
from lab.fake_quant import round_to_nearest, with_weights, int8_activations
from lab.outliers import with_outliers
from lab.instructions import instruction_set, encode_examples, score_responses
from lab.predict import reveal
from lab import cuda
from lab.plots import show, histogram, bars, curves, code_line, explore
"""

import logging
import os

# On some processors bitsandbytes asks for an optional package when it is imported, on stderr, where stock
# nbgrader takes a cell's points.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)

# Some of them import Triton, which decides then and for good whether kernels are interpreted: they are
# where there is no device to run them.
if not os.path.exists("/dev/nvidiactl"):
    os.environ.setdefault("TRITON_INTERPRET", "1")
