"""The figures' font: DejaVu Sans, without the letters and rules that the figures do not use.

Every PDF has the letters that it uses within it. To pick them from the whole font, which has thousands of them and
rules for many scripts, takes longer than to draw the figure; so they are picked from a part that is made once.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.font_manager import FontProperties, findfont, fontManager

WHOLE = "DejaVu Sans"
"""Comes with Matplotlib."""

_PART = "DejaVu Sans Figures"
_LETTERS = (range(0x20, 0x180), range(0x370, 0x400), range(0x2000, 0x2070), range(0x2190, 0x2300))
"""Latin, Greek, punctuation, arrows and mathematical signs."""

_RULES = ("GSUB", "GPOS", "GDEF", "MATH", "kern", "FFTM")
_NAMES = (1, 4, 6, 16)
"""Of a font's names: family, full name, PostScript name, typographic family."""


@cache
def family() -> list[str]:
    """The part's name, and the whole font's for other letters. The part is made at the first call."""
    folder = Path(tempfile.mkdtemp(prefix="blackmagic-font-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "figures.ttf"
    options = subset.Options(drop_tables=[*subset.Options().drop_tables, *_RULES], hinting=False, notdef_outline=True)
    with TTFont(findfont(FontProperties(family=[WHOLE])), recalcTimestamp=False) as font:
        picked = subset.Subsetter(options)
        picked.populate(unicodes=[letter for letters in _LETTERS for letter in letters])
        picked.subset(font)
        for record in font["name"].names:
            if record.nameID in _NAMES:
                record.string = _PART.replace(" ", "") if record.nameID == _NAMES[2] else _PART
        font.save(path)
    fontManager.addfont(path)
    return [_PART, WHOLE]
