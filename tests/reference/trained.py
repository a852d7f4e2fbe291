"""The trained constants (6.8, 7.1.6), as they stand in the sources of the kernels."""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "core" / "native"


@cache
def constant(file, name):
    """An array of a file of constants: a list, or a list of lists."""
    text = re.sub(r"//.*", "", (FOLDER / file).read_text())
    rows, numbers = re.search(rf"{name}(\[\d+\])(\[\d+\])? = (\{{[^;]*\}});", text).group(2, 3)
    if rows is None:
        return [int(number) for number in re.findall(r"-?\d+", numbers)]
    inner = re.findall(r"\{([^{}]*)\}", numbers)
    return [[int(number) for number in re.findall(r"-?\d+", row)] for row in inner]


def predictors(planes):
    """Coefficients of plane 0, 1, 2, a before b."""
    name = "kTrainedColour" if planes == 3 else "kTrainedGrey"
    return constant("lossless/trained_predictors.inl", name)


def tables():
    """Frequencies of the first symbols; the others have none."""
    return constant("lossless/trained_tables.inl", "kTrainedTables")


def table_of(planes):
    """The number of the trained table of every context."""
    numbers = constant("lossless/trained_tables.inl", "kTrainedTableOf")
    return numbers[:144] if planes == 3 else numbers[144:]


def model(name):
    """6.8: what the probabilities of a model start with."""
    return [256 * v + 128 for v in constant("dct/trained_models.inl", name)]


def mixer():
    """7.1.12: weights of a mixer, by plane, list and node."""
    return constant("mixed/trained_mixer.inl", "kTrainedMixer")
