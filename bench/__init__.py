"""The project's benchmark: `python -m bench`, from the root of the repository.

Four questions. How many bytes does it take to keep the focus exact and the rest good (focus_task)?
How long does it take on one core (speed)? What do exact pixels cost, in bytes and time (lossless),
and what does everything around the focus (background)? The peers run beside AIG, in the same run.
"""
