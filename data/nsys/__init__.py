"""An export of Nsight Systems, recorded from a small process: `python -m data.nsys --nsys PATH`."""
