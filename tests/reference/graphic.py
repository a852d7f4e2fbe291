"""Graphics (7.1.7)."""


def decode(payload, region, channels):
    """7.1.7: an array (height, width, channels) that is 0 outside the region."""
    raise NotImplementedError
