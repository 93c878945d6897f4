"""Which folders are classes, and which are parts of a data set, to learn from, to validate or to test?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from surgenas.core.errors import DataError
from surgenas.tasks.listing import images_directly_in, subfolders
from surgenas.tasks.table_file import SUFFIXES

EXPECTED = "expected one folder of images per class, or train/ and test/ (or val/) that hold the same class folders"
NAMES = {
    "train":
        "train training trn entrainement apprentissage entrenamiento treino treinamento treinamiento addestramento "
        "trainieren trening träning eğitim обучение тренировка 训练 訓練 学習 학습 훈련",
    "test":
        "test testing tst tests holdout heldout prueba pruebas teste testes prova essai "
        "тест 测试 測試 テスト 테스트",
    "eval": "eval evaluation evaluate evaluación avaliação valutazione auswertung",
    "val":
        "val valid validation validate validating dev devel development validierung validación validação validazione "
        "convalida walidacja validering doğrulama валидация проверка 验证 驗證 検証 검증",
}  # fmt: skip
"""Usual names of parts by what they are for. Of those that can be tested with, the first in this order is."""
FILLERS = "dataset|datasets|data|s?daten|set|satz|split|images|image|imgs|img|pictures|photos|s?bilder|集|データ|用"
"""Words that people add to them."""


@dataclass(frozen=True)
class Parts:
    """Where the parts of a data set lie. test: None if images of the training part are to be kept aside.
    notes: for a person."""

    train: Path
    test: Path | None
    notes: tuple[str, ...] = ()


def find_parts(root: Path) -> Parts:
    """The parts in a folder: those of the usual names, or the folder itself if it holds class folders.

    Raises DataError for a folder that is laid out in another way.
    """
    folders = {name: subfolders(root / name) for name in subfolders(root)}
    roles = {name: role for name in folders if (role := role_of(name))}
    train = [name for name, role in roles.items() if role == "train" and len(folders[name]) > 1]
    tests = [name for role in ("test", "eval", "val") for name, its in roles.items() if its == role]
    classes = [name for name in folders if name not in roles and images_directly_in(root / name)]
    if not train:
        _check_classes(root)
        return Parts(root, None)
    if len(classes) > 1 and not tests:  # a class may be called train, and hold steam/ and electric/
        raise DataError(
            f"{root} holds {train[0]}/ with folders below, and images in {_named(classes)}: is it a part or a class? "
            f"{EXPECTED}"
        )
    if len(train) > 1:
        raise DataError(f"{root} holds several parts to learn from ({_named(train)}); {EXPECTED}")
    _check_classes(root / train[0])
    return _choose(root, train[0], tests, [name for name in folders if name not in (*train, *tests)])


def role_of(name: str) -> str:
    """What a folder of this name is for: "train", "test", "eval" or "val"; empty if the name is no usual one."""
    return next((role for role, names in ROLES.items() if _plain(name) in names), "")


def _choose(root: Path, train: str, tests: list[str], others: list[str]) -> Parts:
    """The parts, given the folder to learn from, those to test with, the best first, and all others."""
    usable = [name for name in tests if subfolders(root / name)]
    notes = [f"{name}/ is not used: it holds no class folders" for name in tests if name not in usable]
    notes += [f"{name}/ is not used: searching and training here need no validation part" for name in usable[1:]]
    notes += [f"{name}/ is not used: it is beside {train}/, and no usual name of a part" for name in others]
    if usable:
        notes.insert(0, f"{train}/ is learnt from; {usable[0]}/ is the test part, which no search sees")
    return Parts(root / train, root / usable[0] if usable else None, tuple(notes))


def _check_classes(root: Path) -> None:
    """Raise DataError if the folders in a folder are parts, sites or the like, and not classes."""
    below = {name: subfolders(root / name) for name in subfolders(root)}
    if len(below) < 2:
        meant = [str(root / name) for name in below if len(below[name]) > 1]
        meant += sorted(str(path) for path in root.iterdir() if path.suffix.lower() in SUFFIXES)
        hint = f"; did you mean {meant[0]}?" if meant else ""
        raise DataError(f"{root} holds {len(below)} class folder(s); a classifier needs at least 2{hint}")
    if all(map(role_of, below)):
        raise DataError(f"{root} holds {_named(below)}, names of parts and not of classes; {EXPECTED}")
    shared = set.intersection(*map(set, below.values()))
    if len(shared) > 1 and not any(images_directly_in(root / name) for name in below):
        raise DataError(
            f"{root} holds {_named(below)}, with no images of their own and each with {_named(sorted(shared))}; "
            f"{EXPECTED}; if the outer folders are the classes, move their images up into them"
        )


def _named(folders: Iterable[str], most: int = 4) -> str:
    """Names of folders for a message: "a/, b/ and 3 more"."""
    names = list(folders)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"{name}/" for name in names[:most]) + more


def _plain(name: str) -> str:
    """A name in small letters, without accents, digits, signs and words that people add to it."""
    words = re.split(r"[\W\d_]+", _letters(name))
    return "".join(re.sub(f"^({_letters(FILLERS)})|({_letters(FILLERS)})$", "", word) for word in words)


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


ROLES = {role: frozenset(map(_plain, names.split())) for role, names in NAMES.items()}
