"""Image files on disk: decoded once, checked at every opening, split and trained on."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.images.cache import CacheError
from training.images.data import load
from training.images.files import ImageFolder, Imagenette, MissingImages
from training.loop import train
from training.tasks import BUILT_IN, IMAGENET, Task, TaskFacts
from training.trial import TrialRequest

CPU = torch.device("cpu")
SIZE = 32


def imagenette(data: Path, images: int = 120) -> Imagenette:
    return Imagenette(data, size=SIZE, validation_images=20, test_images=20, split_seed=10, images=images)


def task_of(source: Imagenette | ImageFolder, classes: int = 10) -> Task:
    facts = TaskFacts(classes, source.images - 40, 20, 20, SIZE)
    return Task("small", facts, "squeezenet1_1", source, IMAGENET)


def silent(done: int, total: int) -> None:
    """Nobody watches."""


def cache_of(data: Path) -> Path:
    return next((data / "cache").glob("*.images"))


def test_the_papers_task_pools_13394_images_of_128_pixels_into_500_500_and_the_rest() -> None:
    task = BUILT_IN["imagenette-squeezenet"]
    assert isinstance(task.source, Imagenette)
    assert task.source.images == 13_394
    assert task.facts == TaskFacts(10, 12_394, 500, 500, 128)
    assert (task.network, task.normalisation) == ("squeezenet1_1", IMAGENET)


def test_both_halves_of_imagenette_are_pooled_split_and_trained_on(
    imagenette_folder: Path, configuration: Callable, record: Callable
) -> None:
    task = task_of(imagenette(imagenette_folder))
    data = load(task, CPU)
    assert data.images.shape == (120, 3, SIZE, SIZE)
    assert data.images.dtype == torch.uint8
    everything = torch.cat([data.training, data.validation, data.test])
    assert sorted(everything.tolist()) == list(range(120))
    for places in (data.validation, data.test):
        assert data.labels[places].bincount().tolist() == [2] * 10, "the classes have equal shares"
    found = record(train(TrialRequest("small", configuration(), 10), data))
    assert found.ending == "complete"
    assert found == record(train(TrialRequest("small", configuration(), 10), load(task, CPU)))


def test_pixels_are_those_of_torchvisions_resize_in_the_order_of_classes_and_names(imagenette_folder: Path) -> None:
    from torchvision.transforms import Resize

    collection = imagenette(imagenette_folder).load()
    files = [
        file
        for half in ("train", "val")
        for folder in sorted((imagenette_folder / "imagenette2-160" / half).iterdir())
        for file in sorted(folder.iterdir())
    ]
    for place in (0, 57, 119):
        with Image.open(files[place]) as image:
            expected = np.asarray(Resize((SIZE, SIZE))(image.convert("RGB")))
        assert (collection.pixels[place] == expected).all()
    names = sorted({file.parent.name for file in files})
    assert [names[label] for label in collection.labels] == [file.parent.name for file in files]


def test_the_cache_is_memory_mapped_and_outlives_its_image_files(imagenette_folder: Path) -> None:
    before = imagenette(imagenette_folder).load()
    assert isinstance(before.pixels, np.memmap)
    shutil.rmtree(imagenette_folder / "imagenette2-160")
    after = imagenette(imagenette_folder).load()
    assert (after.pixels == before.pixels).all()
    assert (after.training == before.training).all()


def damage_a_pixel(cache: Path) -> None:
    content = bytearray(cache.read_bytes())
    content[5000] ^= 1
    cache.write_bytes(content)


def cut_in_half(cache: Path) -> None:
    os.truncate(cache, cache.stat().st_size // 2)


def empty(cache: Path) -> None:
    os.truncate(cache, 0)


def make_older(cache: Path) -> None:
    content = cache.read_bytes()
    header = json.loads(content[:4096]) | {"version": 0}
    cache.write_bytes(json.dumps(header).encode().ljust(4096) + content[4096:])


@pytest.mark.parametrize("harm", [damage_a_pixel, cut_in_half, empty, make_older])
def test_a_cache_that_is_not_whole_is_made_again(imagenette_folder: Path, harm: Callable[[Path], None]) -> None:
    source = imagenette(imagenette_folder)
    before = np.array(source.load().pixels)
    harm(cache_of(imagenette_folder))
    assert (source.load().pixels == before).all()
    decoded: list[int] = []
    source.prepare(lambda done, total: decoded.append(done))
    assert decoded == [], "now it is whole"


def test_changed_image_files_are_decoded_again(image_folder: Path) -> None:
    source = folder_source(image_folder)
    before = np.array(source.load().pixels)
    file = min(image_folder.glob("flowers/*/*"))
    Image.new("RGB", (90, 20), "red").save(file, format="JPEG")
    after = source.load().pixels
    assert (after[0] != before[0]).any()
    assert (after[1:] == before[1:]).all()


@pytest.mark.parametrize("change", ["another image", "an image less", "a class more"])
def test_a_folder_that_was_changed_is_not_hidden_by_its_cache(image_folder: Path, change: str) -> None:
    source = folder_source(image_folder)
    source.load()
    first = min(image_folder.glob("flowers/*/*"))
    if change == "another image":
        shutil.copy(first, first.with_stem("another"))
    elif change == "an image less":
        first.unlink()
    else:
        shutil.copytree(first.parent, image_folder / "flowers" / "weeds")
    with pytest.raises(MissingImages, match=r"the study's rules say 90 in 3"):
        source.load()


def test_an_image_of_the_same_name_and_size_is_noticed(image_folder: Path) -> None:
    source = folder_source(image_folder)
    before = np.array(source.load().pixels)
    file = min(image_folder.glob("flowers/*/*"))
    content, times = file.read_bytes(), file.stat()
    Image.new("RGB", (90, 20), "red").save(file, format="JPEG")
    file.write_bytes(file.read_bytes().ljust(len(content), b"\0"))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    assert file.stat().st_size == len(content)
    assert (source.load().pixels[0] != before[0]).any()


def folder_source(data: Path, images: int = 90) -> ImageFolder:
    return ImageFolder(data / "flowers", data / "cache", SIZE, images, 3, 20, 20, 10)


def test_a_folder_of_class_folders_is_a_task(image_folder: Path, configuration: Callable, record: Callable) -> None:
    data = load(task_of(folder_source(image_folder), classes=3), CPU)
    assert data.labels.bincount().tolist() == [30, 30, 30]
    assert record(train(TrialRequest("small", configuration(epochs=1), 10), data)).ending == "complete"


def test_a_folder_with_other_images_than_the_rules_say_is_refused(image_folder: Path) -> None:
    next(image_folder.glob("flowers/*/*")).unlink()
    with pytest.raises(MissingImages, match=r"has 89 images in 3 classes; the study's rules say 90 in 3"):
        folder_source(image_folder).load()
    assert not list((image_folder / "cache").glob("*.images"))


def test_an_image_that_is_missing_or_unreadable_is_named(image_folder: Path) -> None:
    files = sorted(image_folder.glob("flowers/*/*"))
    content = files[40].read_bytes()
    files[40].write_bytes(content[: len(content) // 2])
    with pytest.raises(CacheError, match=rf"{files[40].name} cannot be read.*No cache was written"):
        folder_source(image_folder).load()
    files[40].unlink()
    files[40].symlink_to("nowhere.jpg")
    with pytest.raises(CacheError, match=rf"{files[40].name} is missing"):
        folder_source(image_folder).load()
    assert not list((image_folder / "cache").glob("*.images"))
    files[40].unlink()
    files[40].write_bytes(content)
    assert len(folder_source(image_folder).load().pixels) == 90


def test_a_folder_that_is_not_there_says_where_images_belong(tmp_path: Path) -> None:
    with pytest.raises(MissingImages, match=r"There is no folder .*flowers\. Put the images there"):
        folder_source(tmp_path).load()


def test_imagenette_that_cannot_be_fetched_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **more: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr("torchvision.datasets.imagenette.download_and_extract_archive", refuse)
    with pytest.raises(MissingImages, match=r"cannot be fetched .*Network is unreachable.*Check the network"):
        imagenette(tmp_path).load()


def test_an_archive_that_was_unpacked_in_part_is_refused(imagenette_folder: Path) -> None:
    shutil.rmtree(next((imagenette_folder / "imagenette2-160" / "val").iterdir()))
    with pytest.raises(MissingImages, match="has other classes"):
        imagenette(imagenette_folder).load()
    halves = imagenette_folder / "imagenette2-160"
    shutil.rmtree(halves / "val")
    shutil.copytree(halves / "train", halves / "val")
    with pytest.raises(MissingImages, match=r"has 160 images where Imagenette has 13394.*Delete the folder"):
        imagenette(imagenette_folder, images=13_394).load()


FULL = """
import resource, sys
from pathlib import Path
from training.images.cache import CacheError
from training.images.files import ImageFolder

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
data = Path(sys.argv[1])
try:
    ImageFolder(data / "flowers", data / "cache", 32, 90, 3, 20, 20, 10).load()
except CacheError as error:
    print(error)
"""


def test_a_full_disk_leaves_nothing_half_written_and_says_what_to_do(image_folder: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(image_folder)], capture_output=True, text=True, check=True
    ).stdout
    assert f"The disk with {image_folder / 'cache'} is full." in told
    assert "machine.data in study.toml" in told
    assert [each.suffix for each in (image_folder / "cache").iterdir()] == [".lock"]


KILLED = """
import os, signal, sys
from pathlib import Path
from training.images.files import ImageFolder

def die(done, total):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)

data = Path(sys.argv[1])
ImageFolder(data / "flowers", data / "cache", 32, 90, 3, 20, 20, 10).prepare(die)
"""


def test_a_process_that_dies_while_decoding_leaves_no_cache_and_no_lock(image_folder: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(image_folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not list((image_folder / "cache").glob("*.images"))
    assert len(folder_source(image_folder).load().pixels) == 90


TOGETHER = """
import logging, sys
from pathlib import Path
from training.images.files import ImageFolder

data = Path(sys.argv[1])
ImageFolder(data / "flowers", data / "cache", 32, 90, 3, 20, 20, 10).prepare(
    lambda done, total: print(f"decoded {done} of {total}")
)
"""


def test_slots_that_start_together_decode_once(image_folder: Path) -> None:
    command = [sys.executable, "-c", TOGETHER, str(image_folder)]
    slots = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = [slot.communicate(timeout=60)[0] for slot in slots]
    assert [slot.returncode for slot in slots] == [0, 0, 0]
    assert sorted(bool(each) for each in told) == [False, False, True]
    assert "decoded 90 of 90" in "".join(told)
