"""What is in a focus, and what a file says in words."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from support.files import reseal
from support.pillow_files import FOCI, loaded, picture, saved

import aig_codec
from aig_codec.container import Label
from aig_codec.errors import CorruptError

LABELS = ["Ängström", {"name": "dog", "class": 18, "score": 0.75}]
SHOWN = [{"name": "Ängström"}, {"name": "dog", "class": 18, "score": 0.75}]


def test_labels_come_back() -> None:
    data = aig_codec.encode(np.asarray(picture()), **FOCI, labels=LABELS)
    with aig_codec.open(data) as file:
        assert file.info()["labels"] == SHOWN
        json.dumps(file.info())
    assert loaded(saved(picture(), **FOCI, labels=LABELS)).info["aig"]["labels"] == SHOWN


def test_without_labels_nothing_is_stored() -> None:
    plain = saved(picture(), **FOCI)
    assert loaded(plain).info["aig"]["labels"] == [None, None]
    assert len(plain) < len(saved(picture(), **FOCI, labels=[None, "a"]))
    assert loaded(saved(picture(), **FOCI, labels=[None, "a"])).info["aig"]["labels"] == [
        None,
        {"name": "a"},
    ]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a"], "labels has 1 entries for 2 centers"),
        ([{"nam": "a"}, None], "a label is a name"),
        ([3, None], "a label is a name"),
        (["a" * 1001, None], "at most 1000 letters"),
        ([{"name": 3}, None], "at most 1000 letters"),
        ([{"class": -1}, None], "class of a label"),
        ([{"class": 1.5}, None], "class of a label"),
        ([{"score": "high"}, None], "score of a label"),
        ([{"score": float("nan")}, None], "score of a label"),
    ],
)
def test_labels_that_cannot_be_are_refused(labels: list, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        saved(picture(), **FOCI, labels=labels)


def test_labels_need_centers() -> None:
    with pytest.raises(ValueError, match="need centers"):
        saved(picture(), labels=["a"])


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ((Label("a"),), "labels are not a list of 2"),
        ((Label("a" * 1001), None), "name of center 0"),
        ((None, Label("a", -1)), "label of center 1: class"),
        ((None, Label("a", 2**31)), "label of center 1: class"),
        ((None, Label("a", 1, 2e9)), "label of center 1: score"),
        ((None, Label(3)), "name of center 1"),
    ],
)
def test_labels_of_strangers_are_checked(labels: tuple, words: str) -> None:
    with pytest.raises(CorruptError, match=words):
        aig_codec.open(reseal(saved(picture(), **FOCI), {}, labels=labels))


def test_text_and_comment() -> None:
    data = saved(picture(), **FOCI, text={"Author": "somebody", "Zahl": "zwölf"}, comment="hello")
    wanted = {"Author": "somebody", "Zahl": "zwölf", "comment": "hello"}
    with aig_codec.open(data) as file:
        assert file.text == wanted
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["text"] == wanted
        assert image.info["comment"] == "hello"
        # As in Pillow's JPEG, a comment stays with its image.
        again = saved(image)
        assert loaded(again).info["text"] == wanted
        assert loaded(saved(image, comment="other")).info["comment"] == "other"
        assert "comment" not in loaded(saved(image, comment="", text={})).info


def test_comments_of_other_formats() -> None:
    for comment in (b"caf\xc3\xa9", b"caf\xe9"):
        jpeg = io.BytesIO()
        picture().save(jpeg, "JPEG", comment=comment)
        with Image.open(jpeg) as image:
            assert loaded(saved(image)).info["comment"] == "café"


@pytest.mark.parametrize("text", [{"a": 1}, {1: "a"}])
def test_text_is_strings(text: dict) -> None:
    with pytest.raises(ValueError, match="strings by keyword"):
        saved(picture(), text=text)


@pytest.mark.parametrize("stored", [b"", b"[1]", b'{"a":1}', b"\xff", b"[" * 100000])
def test_text_of_strangers_is_checked(stored: bytes) -> None:
    data = reseal(saved(picture(), **FOCI, comment="a"), {("text", None): stored})
    with aig_codec.open(data) as file:
        file.decode()
        with pytest.raises(CorruptError, match="text is not"):
            _ = file.text
    with pytest.raises(OSError, match="text is not"):
        Image.open(io.BytesIO(data))


def test_text_that_has_not_arrived() -> None:
    data = saved(picture(), **FOCI, comment="hello")
    from PIL import ImageFile

    parser = ImageFile.Parser()
    for byte in range(0, len(data), 100):
        parser.feed(data[byte : byte + 100])
    assert parser.close().info["comment"] == "hello"
