"""Web frameworks and their thumbnails: nothing in them knows of AIG but that Pillow opens it."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import pictures

import aig_codec
import pillow_aig  # noqa: F401 - registers AIG with Pillow

WIDTH, HEIGHT = 320, 240


def photo() -> np.ndarray:
    return pictures.smooth(HEIGHT, WIDTH, 3, 1)


def coded() -> bytes:
    return aig_codec.encode(photo(), centers=[(160, 120)], radii=[(30, 40)])


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Django site with sorl-thumbnail and easy-thumbnails, its database in memory."""
    django = pytest.importorskip("django")
    pytest.importorskip("sorl")
    pytest.importorskip("easy_thumbnails")
    from django.conf import settings
    from django.core.management import call_command

    folder = tmp_path_factory.mktemp("media")
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "easy_thumbnails", "sorl.thumbnail"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        MEDIA_ROOT=str(folder),
        MEDIA_URL="/media/",
        THUMBNAIL_PRESERVE_EXTENSIONS=("aig",),
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0, run_syncdb=True)
    yield folder
    from django.db import connections

    connections.close_all()


@pytest.fixture
def stored(media: Path) -> Path:
    path = media / "photo.aig"
    path.write_bytes(coded())
    return path


def test_django_accepts_and_measures_uploads(media: Path) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.forms import ImageField, ValidationError

    field = ImageField()
    upload = SimpleUploadedFile("photo.aig", coded(), "image/x-aig")
    cleaned = field.clean(upload)
    assert cleaned.image.format == "AIG"
    assert cleaned.content_type == "image/x-aig"
    damaged = bytearray(coded())
    damaged[-9] ^= 1
    for broken in (coded()[:-30], bytes(damaged), b"AIG2 or not"):
        with pytest.raises(ValidationError):
            field.clean(SimpleUploadedFile("photo.aig", broken, "image/x-aig"))


def test_django_knows_the_size_of_stored_files(stored: Path) -> None:
    from django.core.files.images import ImageFile

    with stored.open("rb") as file:
        assert (ImageFile(file).width, ImageFile(file).height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("extension", ["aig", "jpg"])
def test_easy_thumbnails(stored: Path, extension: str) -> None:
    from easy_thumbnails.files import Thumbnailer

    with stored.open("rb") as file:
        thumbnailer = Thumbnailer(file, name="photo.aig")
        thumbnailer.thumbnail_preserve_extensions = ("aig",) if extension == "aig" else ()
        thumbnail = thumbnailer.generate_thumbnail({"size": (80, 80), "crop": False})
        thumbnail.seek(0)
        with Image.open(thumbnail) as image:
            assert image.format == {"aig": "AIG", "jpg": "JPEG"}[extension]
            assert image.size == (80, 60)
            assert close(image)


def test_sorl(stored: Path) -> None:
    from sorl.thumbnail import get_thumbnail

    thumbnail = get_thumbnail("photo.aig", "80x60", format="PNG")
    assert (thumbnail.width, thumbnail.height) == (80, 60)
    with Image.open(io.BytesIO(thumbnail.read())) as image:
        assert close(image)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_willow(stored: Path) -> None:
    """Willow has a list of formats; with one class more, AIG is among them."""
    willow = pytest.importorskip("willow")
    from willow.plugins.pillow import PillowImage
    from willow.registry import registry

    class AigImageFile(willow.image.ImageFile):
        format_name = "aig"
        mime_type = "image/x-aig"

    willow.image.INITIAL_IMAGE_CLASSES.setdefault("image/x-aig", AigImageFile)
    registry.register_image_class(AigImageFile)
    registry.register_converter(AigImageFile, PillowImage, PillowImage.open)
    with stored.open("rb") as file:
        image = AigImageFile(file).resize((80, 60))
        target = io.BytesIO()
        image.save_as_png(target)
    with Image.open(target) as shown:
        assert shown.size == (80, 60)
        assert close(shown)


def close(image: Image.Image) -> bool:
    """Whether a thumbnail shows what the photograph does."""
    wanted = Image.fromarray(photo()).resize(image.size, Image.Resampling.BOX)
    difference = np.asarray(image.convert("RGB"), int) - np.asarray(wanted)
    return bool(np.abs(difference).mean() < 8)
