"""The words that the page uses throughout: integers, bytes, and what is an error."""

from bisect import bisect_right
from contextlib import contextmanager


class BadFile(ValueError):
    """The bytes are not a valid file, segment or payload."""


def expect(condition, what):
    if not condition:
        raise BadFile(what)


@contextmanager
def tolerate(problems):
    """Collect what is bad in a list instead of refusing it; without a list, refuse it."""
    try:
        yield
    except BadFile as error:
        if problems is None:
            raise
        problems.append(error)


def clip(value, low, high):
    return min(max(value, low), high)


def unzigzag(code):
    return code >> 1 if code % 2 == 0 else -((code + 1) >> 1)


def med(w, n, nw):
    if nw >= max(w, n):
        return min(w, n)
    if nw <= min(w, n):
        return max(w, n)
    return w + n - nw


def reached(thresholds, value):
    """How many of the (ascending) thresholds the value reaches."""
    return bisect_right(thresholds, value)


class ByteReader:
    """Bytes from the front; asking for more than there are is an error."""

    def __init__(self, data):
        self.data = bytes(data)
        self.position = 0

    def take(self, count):
        expect(count <= len(self.data) - self.position, "the data end too early")
        self.position += count
        return self.data[self.position - count : self.position]

    def rest(self):
        return self.take(len(self.data) - self.position)

    def done(self):
        return self.position == len(self.data)

    def varint(self, most_bytes=5):
        value = 0
        for index in range(most_bytes):
            byte = self.take(1)[0]
            value |= (byte & 127) << (7 * index)
            if byte < 128:
                return value
        raise BadFile("a varint does not end")


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
