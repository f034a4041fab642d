"""The colours of every picture, from Okabe and Ito's palette for every kind of colour vision.

Source: https://jfly.uni-koeln.de/color/. All of the palette's colours that are used here have a contrast of 3 : 1 or
more both to white and to the report's dark page.
"""

INK = "#33383d"
GRID = "#d9dde1"
PAPER = "#ffffff"
GREY = "#7a828a"
BLUE = "#0072b2"
GREEN = "#009e73"
VERMILION = "#d55e00"
PURPLE = "#cc79a7"
