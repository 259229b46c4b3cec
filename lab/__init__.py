"""The learner's bench: devices, data, timing, plots. Importing it costs nothing.

from lab.profile import use_profile, seed_everything
from lab.data import load_mnist, load_sst2, load_text
from lab.timing import measure
from lab.predict import reveal
from lab.plots import show, histogram, bars, curves, code_line, explore
"""
