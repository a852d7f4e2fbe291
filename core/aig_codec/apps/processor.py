"""Models that look at what is in focus first, and at the rest only where that is asked for."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..coders.lossless import Pixels
from ..decoder.file import AigFile, open
from ..decoder.notebook import Core
from ..threads import default_threads

#: What a model finds: left, top, right and bottom in pixels, then whatever else it says of it.
Detection = tuple[Any, ...]


@dataclass(frozen=True)
class Findings:
    """What a model made of a file.

    detections: in pixels of the whole image. refined: whether the model has seen all of it.
    bytes_read: how many bytes of the file that took.
    """

    detections: list[Detection]
    refined: bool
    bytes_read: int


class AIGProcessor:
    """Runs a model on the cores of a file, and on the whole image only if what it found there asks
    for context.

    model: has `detect(core)`, which takes an `aig_codec.Core` and returns detections in pixels of
    its rectangle: sequences of left, top, right, bottom and anything more (a score, a label). A
    function does as well. It may have `refine(image, detections)`, which takes the whole image,
    uint8 (H, W[, C]), and what was found so far, in pixels of the image, and returns what holds.
    needs_context: takes the detections of all cores and says whether to refine; without it, that
    is never done. threads: for decoding; see `aig_codec.decode`.
    """

    def __init__(
        self,
        model: Any,
        needs_context: Callable[[list[Detection]], bool] | None = None,
        *,
        threads: int | None = None,
    ) -> None:
        self._detect: Callable[[Core], Iterable[Sequence[Any]]] = getattr(model, "detect", model)
        if not callable(self._detect):
            raise TypeError(f"{type(model).__name__} neither has detect() nor is a function")
        self._refine: Callable[[Pixels, list[Detection]], Iterable[Sequence[Any]]] | None = getattr(
            model, "refine", None
        )
        if needs_context is not None and self._refine is None:
            raise TypeError(f"{type(model).__name__} has no refine() to give context to")
        self._needs_context = needs_context
        self._threads = threads

    def process(self, source: Any) -> Findings:
        """Run the model on one file: whatever `aig_codec.open` takes.

        Raises what `open` and `decode` raise, and what the model does.
        """
        with open(source) as file:
            return self._judge(file, file.cores())

    def process_stream(self, stream: Any) -> Findings:
        """Run the model on a file that is still arriving, as soon as its cores are there.

        stream: a binary file object; of one that cannot seek no byte is read before it is needed.
        """
        return self.process(stream)

    def process_many(
        self, sources: Iterable[Any], *, ahead: int | None = None
    ) -> Iterator[Findings]:
        """Run the model on many files, one after the other and in their order, while threads read
        and decode the cores of the next ones.

        ahead: how many files at most are ready before their turn; by default twice the processors.
        An error of a file is raised in its turn; the files after it can't be asked for then.
        """
        threads = default_threads()
        ahead = 2 * threads if ahead is None else ahead
        if ahead < 1:
            raise ValueError(f"ahead is {ahead}, not 1 or more")
        ready: deque[Future[tuple[AigFile, list[Core]]]] = deque()
        remaining = iter(sources)
        with ThreadPoolExecutor(threads) as pool:
            try:
                for source in remaining:
                    ready.append(pool.submit(_cores_of, source))
                    if len(ready) > ahead:
                        yield self._judge_and_close(*ready.popleft().result())
                while ready:
                    yield self._judge_and_close(*ready.popleft().result())
            finally:
                for future in ready:
                    if not future.cancel() and future.exception() is None:
                        future.result()[0].close()

    def _judge_and_close(self, file: AigFile, cores: list[Core]) -> Findings:
        with file:
            return self._judge(file, cores)

    def _judge(self, file: AigFile, cores: list[Core]) -> Findings:
        detections = [
            _moved(found, core.left, core.top) for core in cores for found in self._detect(core)
        ]
        refined = self._needs_context is not None and bool(self._needs_context(detections))
        if refined:
            assert self._refine is not None
            image = file.decode(threads=self._threads)
            detections = [tuple(found) for found in self._refine(image, detections)]
        return Findings(detections, refined, file.bytes_read)


def _cores_of(source: Any) -> tuple[AigFile, list[Core]]:
    file = open(source)
    try:
        return file, file.cores()
    except BaseException:
        file.close()
        raise


def _moved(found: Sequence[Any], x: int, y: int) -> Detection:
    left, top, right, bottom, *rest = found
    return (left + x, top + y, right + x, bottom + y, *rest)
