"""Every coder of the package holds what any coder must hold."""

import pytest

from aig_codec import testing
from aig_codec.coders import registry

CODERS = sorted(name for name in registry.known if registry.is_built_in(name) and name != "raw")


@pytest.mark.parametrize("name", CODERS)
def test_it_conforms(name: str) -> None:
    testing.check_coder(registry.known[name], sizes=[(1, 1), (19, 23)], modes=(4,))


@pytest.mark.slow
@pytest.mark.parametrize("name", CODERS)
def test_it_conforms_at_any_size(name: str) -> None:
    testing.check_coder(registry.known[name], sizes=[(70, 1), (40, 56)], modes=(3,))
