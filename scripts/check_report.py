#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Opens a report in headless Chromium: nothing on the console, what it shows and does is as promised; leaves screenshots.

Checks links, sections, tables, tooltips, sorting, the filter, and at 1400 and 400 px, light and dark, that everything fits.
Needs Debian's chromium, chromium-driver and python3-selenium.
"""

import argparse
import csv
import pathlib
import re
import sys
import urllib.parse

import command_line

SIZES = {"wide": (1400, 900), "phone": (400, 800)}
SCHEMES = ("light", "dark")
TEXTS = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
SHOWN = "return [...document.querySelectorAll(arguments[0])].filter(e => !e.hidden).map(e => e.textContent)"
FILTER = "filter.value = arguments[0]; filter.dispatchEvent(new Event('input'))"
DOTS = """return [...document.querySelectorAll('figure .dot')].filter(e => e.querySelector('title'))
    .map(e => [e.querySelector('title').textContent, !e.classList.contains('off') && !e.closest('figure').hidden])"""
NAMES = """return [...document.querySelectorAll('tbody tr')].map(row => [!row.hidden,
    [...row.cells].filter(cell => !cell.classList.contains('num')).map(cell => cell.textContent).join(' ')])"""
NUMBERS = """return [...document.querySelectorAll('table')].map(table => [...table.tHead.rows[0].cells].map((head, i) => ({
    name: head.textContent, num: head.classList.contains('num'), right: getComputedStyle(head).textAlign == 'right' &&
        [...table.tBodies[0].rows].every(row => getComputedStyle(row.cells[i]).textAlign == 'right'),
    cells: [...table.tBodies[0].rows].map(row => row.cells[i].textContent)})))"""
COLUMN = """return [...document.querySelectorAll('#speeds tbody tr')].map(row => row.cells[arguments[0]].textContent)"""
# Of each table that is shown: the name and right edge of the first column after the row's name, and what contains it.
FIRST = """return [...document.querySelectorAll('.scroll')].filter(e => e.offsetParent && e.querySelector('thead')).map(e => ({
    name: e.querySelectorAll('thead th')[1].textContent, right: e.querySelectorAll('thead th')[1].getBoundingClientRect().right,
    edge: e.getBoundingClientRect().right, more: e.scrollWidth > e.clientWidth + 1,
    hint: getComputedStyle(e.parentNode.querySelector('.hint')).display != 'none'}))"""
OPENED = "return [...document.querySelectorAll('details')].map(e => e.open)"


def local_service():
    """Chromium's driver by address, for not every /etc/hosts knows the name that Selenium asks for. (The driver asks for it, too,
    unless it talks to Chromium by a pipe.)"""
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.utils import is_connectable

    class LocalService(Service):
        address = "127.0.0.1"

        @property
        def service_url(self):
            return f"http://{self.address}:{self.port}"

        def is_connectable(self):
            return is_connectable(self.port, self.address)

    return LocalService("/usr/bin/chromedriver")


def check(holds, what):
    if not holds:
        print(f"{pathlib.Path(sys.argv[0]).name}: {what}", file=sys.stderr)
        sys.exit(1)


def chromium():
    try:
        from selenium import webdriver
    except ImportError as error:
        check(False, f"needs python3-selenium ({error})")
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 "--disable-dev-shm-usage", "--remote-debugging-pipe"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=local_service(), options=options)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 1400, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    return driver


def check_logs(driver):
    """What the page asked for: nothing but itself; and what it had to say."""
    check(all(message["message"].count('"url":"http') == 0 for message in driver.get_log("performance")),
          "asks the network for something")
    errors = [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    check(not errors, f"console: {errors}")


class Report:
    def __init__(self, driver, path):
        self.driver, self.path = driver, path
        driver.get(path.resolve().as_uri())

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def check_links(self):
        links = self.run("return [...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
        for link in links:
            if link.startswith("#"):
                check(self.run("return document.getElementById(arguments[0]) != null", link[1:]), f"link to {link}: nothing there")
            else:
                check((self.path.parent / urllib.parse.unquote(link)).is_file(), f"link to {link}: no such file")
        check(any(link.endswith(".json") for link in links), "no link to JSON")
        sections = self.run("return [...document.querySelectorAll('section')].map(e => e.id)")
        check(self.run("return [...document.querySelectorAll('.bar-top nav a')].map(a => a.getAttribute('href').slice(1))")
              == sections, "the navigation is not that of the sections")
        check(sections[0] == "answer", "does not open with the answer")
        file = next((self.path.parent / urllib.parse.unquote(link) for link in links if link.endswith(".csv")), None)
        check(file, "no link to CSV")
        with open(file, encoding="utf-8", newline="") as lines:
            speeds = [row for row in csv.DictReader(lines) if row["run"] == "A"]
        check(len(speeds) == self.run("return document.querySelectorAll('#speeds tbody tr').length"),
              "the CSV has other speeds than the page")
        # A link into a folded part opens it.
        inside = self.run("const of = [...document.querySelectorAll('details')].find(e => !e.open && e.querySelector('figure'));"
                          "return of && of.querySelector('figure').id")
        if inside:
            self.run("location.hash = arguments[0]", inside)
            self.driver.implicitly_wait(0)
            check(self.run("open_target(); return document.getElementById(arguments[0]).closest('details').open", inside),
                  f"a link to {inside} does not open its part")

    def check_facts(self):
        """What a reader has to know of the machine."""
        facts = self.run("return [...document.querySelectorAll('#machine dt')].map(e => [e.textContent, "
                         "e.nextElementSibling.textContent])")
        for name in ("CPU", "kernel", "OS", "governor", "clock seen", "caches", "spread"):
            check(any(key == name and value.strip() for key, value in facts), f"the machine: no {name}")

    def check_numbers(self):
        """Right-aligned, and all of a column with as many decimals."""
        for columns in self.run(NUMBERS):
            for column in columns:
                numbers = [text.rstrip("~") for text in column["cells"] if text]
                if not column["num"]:
                    check(not numbers or not all(re.fullmatch(r"[\d.]+", text) for text in numbers),
                          f"{column['name']}: numbers that are not right-aligned")
                    continue
                check(column["right"], f"{column['name']}: not right-aligned")
                decimals = {len(text.partition(".")[2]) for text in numbers if text not in ("nan", "inf")}
                check(len(decimals) <= 1, f"{column['name']}: numbers of {sorted(decimals)} decimals")

    def check_sorting(self):
        head = self.driver.find_elements("css selector", "#speeds thead button")[1]
        for falling in (False, True):
            self.run("arguments[0].click()", head)
            column = [float(text.rstrip("~")) for text in self.run(COLUMN, 1)]
            check(column == sorted(column, reverse=falling) and len(set(column)) > 1,
                  f"{head.get_attribute('textContent')} is not sorted")

    def check_dots(self):
        """Tooltips with shape and value; one plot of speed against error for each type, folded where there are no peers."""
        titles = [title for title, _ in self.run(DOTS)]
        for title in titles:
            check(re.match(r"[a-z0-9_+]+ (f32|f64|bf16|f16) ", title) and len(title.split("\n")) > 1, f"tooltip {title!r}")
        for section in ("size", "error"):
            of = self.run("return [...document.querySelectorAll(`#${arguments[0]} .dot title`)].map(e => e.textContent)", section)
            check(all(re.search(r" \d+(x\d+)+( |\n)", title) and re.search(r"\d ns per element", title) for title in of),
                  f"{section}: a tooltip without shape or value")
        count = self.run("return document.querySelectorAll('#size .dot .whisker').length")
        check(count > 0 and self.run("return document.querySelectorAll('#size .band').length") > 0, "no bars and bands of the spread")
        plots = self.run("return [...document.querySelectorAll('#error figure')].map(e => e.id)")
        check(len(plots) == len(set(plots)) <= 4, "not one plot of speed against error for each type")
        if plots:
            peers = {title.split()[2] for title in self.run(
                "return [...document.querySelectorAll('.dot.peer title')].map(e => e.textContent)")} - {"libm"}
            check(self.run("return document.querySelector('#error details').open") == bool(peers),
                  "speed against error is open without peers, or folded with them")
        self.run("document.querySelector('#size details').open = true")
        dot = self.driver.find_element("css selector", "#size figure .dot")
        title = dot.find_element("css selector", "title").get_attribute("textContent")
        self.run("arguments[0].dispatchEvent(new PointerEvent('pointerover', {bubbles: true, clientX: 50, clientY: 50}))", dot)
        check(self.run("return tip.hidden ? '' : tip.textContent") == title, "no tooltip")
        self.run("document.body.dispatchEvent(new PointerEvent('pointerover', {bubbles: true}))")
        check(self.run("return tip.hidden") and dot.find_element("css selector", "title").get_attribute("textContent") == title,
              "the tooltip stays")

    def check_filter(self):
        rows, dots = self.run(NAMES), self.run(DOTS)
        figures, opened = self.run(SHOWN, "figure"), self.run(OPENED)
        check(all(shown for shown, _ in rows) and all(shown for _, shown in dots), "something is hidden without a filter")
        for text, has, lacks in (("softmax AVX2", ("softmax", "avx2"), ()), ("-sse2", (), ("sse2",)),
                                 ("softmax -sse2 -log_", ("softmax",), ("sse2", "log_"))):
            def holds(words):
                words = words.lower()
                return all(word in words for word in has) and not any(word in words for word in lacks)

            self.run(FILTER, text)
            wanted = [holds(words) for _, words in rows]
            check([shown for shown, _ in self.run(NAMES)] == wanted and 0 < sum(wanted) < len(rows), f"filter {text}: rows")
            check(all(self.run("return [...document.querySelectorAll('details')].map(e => e.open == "
                               "[...e.querySelectorAll('figure')].some(f => !f.hidden))")), f"filter {text}: what is folded")
            wanted = [holds(title.split("\n")[0]) for title, _ in dots]
            check([shown for _, shown in self.run(DOTS)] == wanted and 0 < sum(wanted) < len(dots), f"filter {text}: dots")
            check(self.run("return getComputedStyle(document.querySelector('.dot.off')).display") == "none",
                  f"filter {text}: what it leaves out is seen")
            check(self.run("return nothing.hidden && !found.hidden"), f"filter {text}: does not say how much is left")
            check(self.run("return [...document.querySelectorAll('figure:not([hidden])')].every(figure => "
                           "figure.querySelector('.dot:not(.off) title'))"), f"filter {text}: an empty plot")
        self.run(FILTER, "nosuchkernel")
        check(not self.run(SHOWN, "tbody tr") and not self.run(SHOWN, "figure"), "a filter that nothing matches leaves something")
        check(self.run("return !nothing.hidden && nothing.textContent.includes('nosuchkernel') && nothing.offsetHeight > 0"),
              "does not say that nothing is left")
        check(self.run("return document.querySelector('#speeds .nothing').offsetHeight > 0"), "a section does not say so")
        self.run(FILTER, "")
        check(len(self.run(SHOWN, "tbody tr")) == len(rows) and self.run(SHOWN, "figure") == figures and
              self.run("return nothing.hidden && found.hidden"), "an empty filter hides something")
        check(self.run(OPENED) == opened, "an empty filter folds something")

    def check_sizes(self, directory):
        papers = set()
        for (name, (width, height)), scheme in ((size, scheme) for size in SIZES.items() for scheme in SCHEMES):
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                        {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
            self.run("hint()")
            papers.add((scheme, self.run("return getComputedStyle(document.body).backgroundColor")))
            check(self.run("return document.documentElement.scrollWidth") <= width, f"{name}, {scheme}: wider than the screen")
            self.run("scrollTo(0, 0)")
            rows = self.run("return [...document.querySelectorAll('.tab')].find(e => e.offsetParent).querySelectorAll('tr').length")
            bottom = self.run("return [...document.querySelectorAll('.tab')].find(e => e.offsetParent).getBoundingClientRect().bottom")
            check(name != "wide" or rows > 28 or bottom <= height, f"{name}: the answer is longer than a screen ({bottom:.0f} px)")
            for first in self.run(FIRST):
                check(first["hint"] == first["more"], f"{name}: the hint to scroll does not tell whether there is more")
                check(first["right"] <= first["edge"] + 1 and first["name"] in ("ns/element", "max ULP"),
                      f"{name}: {first['name']} is what one sees first, or cannot be seen")
            for section in self.driver.find_elements("css selector", "section"):
                self.run("arguments[0].scrollIntoView()", section)
                top = self.run("return arguments[0].querySelector('h2').getBoundingClientRect().top - "
                               "document.querySelector('.bar-top').getBoundingClientRect().bottom", section)
                check(top >= 0 or self.run("return scrollY + innerHeight >= document.documentElement.scrollHeight - 2"),
                      f"{name}: the heading of {section.get_attribute('id')} is below the navigation")
                self.driver.save_screenshot(str(directory / f"{name}-{scheme}-{section.get_attribute('id')}.png"))
        check(len(papers) == len({paper for _, paper in papers}) == 2, "light and dark look alike")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    command_line.add_version(parser)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path, required=True, metavar="DIRECTORY")
    arguments = parser.parse_args()
    check(arguments.report.stat().st_size < 5e6, "5 MB or more")
    arguments.screenshots.mkdir(parents=True, exist_ok=True)
    driver = chromium()
    try:
        report = Report(driver, arguments.report)
        figures, rows = report.run(TEXTS, "figure"), report.run(TEXTS, "tbody tr")
        check(figures and rows, "has no figures or no rows")
        report.check_dots()
        report.check_links()
        report.check_facts()
        report.check_numbers()
        report.check_sorting()
        report.check_filter()
        report.check_sizes(arguments.screenshots)
        check_logs(driver)
    finally:
        driver.quit()
    print(f"{len(figures)} figures, {len(rows)} rows; screenshots in {arguments.screenshots}")


if __name__ == "__main__":
    command_line.run(main)
