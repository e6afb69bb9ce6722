# SPDX-License-Identifier: MIT
"""Small plots as SVG, for report.py: colours are CSS variables, dots have tooltips. Standard library only.

A series is a group with class cN, N being its colour, whose parts are drawn in var(--c). Texts of dots are their
<title>: a first line that says what the dot is (the report's filter reads it), then its values.
"""
import html
import math


def log_ticks(low, high):
    """1, 2 and 5 of each decade, or fewer where there are many decades."""
    decades = math.log10(high / low)
    digits = (1, 2, 5) if decades < 2.5 else (1, 3) if decades < 4 else (1,)
    every = math.ceil(decades / 9)
    return [d * 10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            if e % every == 0 for d in digits]


def byte_ticks(low, high):
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    return [2.0**e for e in range(first, last + 1) if e % max(1, math.ceil((last - first) / 6)) == 0]


def asinh_ticks(low, high):
    ticks = [0] + [sign * 10.0**e for e in range(0, 40) for sign in (-1, 1)]
    inside = sorted(t for t in ticks if low <= t <= high)
    room = (math.asinh(high) - math.asinh(low)) / 9
    kept = [0.0]  # which stays, and of the others what has room beside the last one kept
    for t in sorted(inside, key=abs):
        if all(abs(math.asinh(t) - math.asinh(k)) >= room for k in kept):
            kept.append(t)
    return sorted(t for t in kept if low <= t <= high)


def linear_ticks(low, high):
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next(f for f in (1, 2, 5, 10) if (high - low) / (f * step) <= 6)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


KINDS = {"log": (math.log, log_ticks), "bytes": (math.log, byte_ticks), "asinh": (math.asinh, asinh_ticks),
         "linear": (float, linear_ticks)}


def plain(value):
    if value and not 0.001 <= abs(value) < 1e5:
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:g}"


class Axis:
    """From values to places between 0 and 1; some room is left at the ends."""

    def __init__(self, kind, values, label, text=plain, room=0.04, low=None):
        self.forward, ticks = KINDS[kind]
        self.label, self.text = label, text
        values = [v for v in values if v is not None and math.isfinite(v)]
        least, most = min(values), max(values)
        if least == most:
            least, most = (least / 2, most * 2) if kind in ("log", "bytes") else (least - 1, most + 1)
        a, b = self.forward(least), self.forward(most)
        margin = room * (b - a)
        self.start, self.end = a - margin if low is None else self.forward(low), b + margin
        back = {"log": math.exp, "bytes": math.exp, "asinh": math.sinh, "linear": float}[kind]
        self.low, self.high = back(self.start), back(self.end)
        self.ticks = [t for t in ticks(self.low, self.high) if self.low <= t <= self.high]

    def place(self, value):
        return (self.forward(value) - self.start) / (self.end - self.start)


class Plot:
    left, top, bottom = 50, 34, 40

    def __init__(self, title, x, y, width=480, height=300, right=12):
        self.title, self.x, self.y, self.width, self.height, self.right = title, x, y, width, height, right
        self.parts, self.legend = [], []
        self.frame()

    def px(self, value):
        return self.left + self.x.place(value) * (self.width - self.left - self.right)

    def py(self, value):
        return self.top + (1 - self.y.place(value)) * (self.height - self.top - self.bottom)

    def inside(self, value):
        return self.x.low <= value <= self.x.high

    def frame(self):
        bottom, right = self.height - self.bottom, self.width - self.right
        for tick in self.x.ticks:
            at = self.px(tick)
            self.parts.append(f'<path class="grid" d="M{at:.1f} {self.top}V{bottom}"/>'
                              f'<text x="{at:.1f}" y="{bottom + 14}" text-anchor="middle">{self.x.text(tick)}</text>')
        for tick in self.y.ticks:
            at = self.py(tick)
            self.parts.append(f'<path class="grid" d="M{self.left} {at:.1f}H{right}"/>'
                              f'<text x="{self.left - 5}" y="{at + 3.5:.1f}" text-anchor="end">{self.y.text(tick)}</text>')
        middle = (self.top + bottom) / 2
        self.parts.append(
            f'<text x="{(self.left + right) / 2:.1f}" y="{bottom + 31}" text-anchor="middle">{html.escape(self.x.label)}'
            f'</text><text transform="translate(12 {middle:.1f}) rotate(-90)" text-anchor="middle">'
            f'{html.escape(self.y.label)}</text>')

    def upright(self, value, name):
        if self.inside(value):
            at = self.px(value)
            self.parts.append(f'<path class="cache" d="M{at:.1f} {self.top}V{self.height - self.bottom}"/>'
                              f'<text x="{at:.1f}" y="{self.top - 4}" text-anchor="middle">{name}</text>')

    def path(self, points):
        return "M" + "L".join(f"{self.px(x):.1f} {self.py(y):.1f}" for x, y in points)

    def line(self, points, css="line", title=""):
        title = f"<title>{html.escape(title)}</title>" if title else ""
        return f'<path class="{css}" d="{self.path(points)}"' + (f">{title}</path>" if title else "/>")

    def band(self, points):
        """Of (x, low, high)."""
        edge = [(x, high) for x, _, high in points] + [(x, low) for x, low, _ in reversed(points)]
        return f'<path class="band" d="{self.path(edge)}Z"/>'

    def whisker(self, x, low, high):
        return f'<path class="whisker" d="M{self.px(x):.1f} {self.py(low):.1f}V{self.py(high):.1f}"/>'

    def dot(self, x, y, title, css="dot", whisker=None, size=3):
        """A disc, a diamond for peers, a cross for what is noisy; its whisker goes with it."""
        at_x, at_y = self.px(x), self.py(y)
        text = f"<title>{html.escape(title)}</title>"
        if "noisy" in css:
            s = size
            shape = f'<path d="M{at_x - s:.1f} {at_y - s:.1f}l{2 * s} {2 * s}m0 {-2 * s}l{-2 * s} {2 * s}"/>'
        elif "peer" in css:
            s = size + 1
            shape = f'<path d="M{at_x - s:.1f} {at_y:.1f}l{s} {-s} {s} {s} {-s} {s}z"/>'
        else:
            shape = f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="{size}"/>'
        return f'<g class="{css}">{text}{whisker or ""}{shape}</g>'

    def series(self, colour, parts, name=None, css=""):
        """Parts of one colour; named in the legend unless the name is there."""
        self.parts.append(f'<g class="series c{colour} {css}">{"".join(parts)}</g>')
        if name and (colour, css, name) not in self.legend:
            self.legend.append((colour, css, name))

    def svg(self, style=""):
        """With the legend below. With a style of its own it is a file of its own, which has a size."""
        x, y, keys = self.left, self.height + 10, []
        for colour, css, name in self.legend:
            wide = 26 + 6.2 * len(name)
            if x + wide > self.width and x > self.left:
                x, y = self.left, y + 16
            keys.append(f'<g class="c{colour} {css}"><path class="line" d="M{x:.1f} {y}h16"/>'
                        f'<g class="dot"><circle cx="{x + 8:.1f}" cy="{y}" r="3"/></g>'
                        f'<text x="{x + 21:.1f}" y="{y + 3.5}">{html.escape(name)}</text></g>')
            x += wide + 8
        height = y + 10 if keys else self.height
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {height}" role="img"'
                f'{f" width={chr(34)}{self.width}{chr(34)} height={chr(34)}{height}{chr(34)}" * bool(style)}'
                f' aria-label="{html.escape(self.title)}">{style}'
                f'<text class="title" x="{self.left}" y="14">{html.escape(self.title)}</text>'
                f'{"".join(self.parts)}{"".join(keys)}</svg>')
