#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Opens a report in headless Chromium: no errors, sorting and filter do what they say; leaves screenshots.

Needs Debian's chromium, chromium-driver and python3-selenium.
"""

import argparse
import pathlib
import sys

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.utils import is_connectable

SCREENS = {"light": (1280, 1200, "light"), "dark": (1280, 1200, "dark"), "phone": (390, 800, "light")}
COLUMN = "return [...document.querySelector('tbody').rows].map(row => row.cells[arguments[0]].textContent)"
TEXTS = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
SHOWN = "return [...document.querySelectorAll(arguments[0])].filter(e => !e.hidden).map(e => e.textContent)"
FILTER = "filter.value = arguments[0]; filter.dispatchEvent(new Event('input'))"


class LocalService(Service):
    """By address, for not every /etc/hosts knows the name that Selenium asks for. (Chromium's driver asks for it, too, unless
    it talks to Chromium by a pipe.)"""
    address = "127.0.0.1"

    @property
    def service_url(self):
        return f"http://{self.address}:{self.port}"

    def is_connectable(self):
        return is_connectable(self.port, self.address)


def check(holds, what):
    if not holds:
        print(f"check_report.py: {what}", file=sys.stderr)
        sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path, required=True, metavar="DIRECTORY")
    arguments = parser.parse_args()
    check(arguments.report.stat().st_size < 5e6, "5 MB or more")

    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 "--disable-dev-shm-usage", "--remote-debugging-pipe"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=LocalService("/usr/bin/chromedriver"), options=options)
    try:
        driver.get(arguments.report.resolve().as_uri())
        figures = driver.execute_script(TEXTS, "figure")
        rows = driver.execute_script(TEXTS, "tbody tr")
        check(figures and rows, "has no figures or no rows")
        # What the page asked for: nothing but itself.
        check(all(message["message"].count('"url":"http') == 0 for message in driver.get_log("performance")),
              "asks the network for something")

        head = driver.find_elements("css selector", "th button")[5]
        for falling in (False, True):
            driver.execute_script("arguments[0].click()", head)
            column = [float(text) for text in driver.execute_script(COLUMN, 5)]
            check(column == sorted(column, reverse=falling) and len(set(column)) > 1,
                  f"{head.text} is not sorted")

        for of in ("tbody tr", "figure"):
            everything = driver.execute_script(TEXTS, of)
            wanted = [text for text in everything if "softmax" in text and "avx2" in text]
            driver.execute_script(FILTER, "softmax AVX2")
            check(driver.execute_script(SHOWN, of) == wanted and 0 < len(wanted) < len(everything),
                  f"filtering {of}")
            driver.execute_script(FILTER, "")
            check(driver.execute_script(SHOWN, of) == everything, f"an empty filter hides {of}")

        arguments.screenshots.mkdir(parents=True, exist_ok=True)
        for name, (width, height, scheme) in SCREENS.items():
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                   {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
            check(driver.execute_script("return document.documentElement.scrollWidth") <= width,
                  f"{name}: wider than the screen")
            for section in driver.find_elements("css selector", "h2"):
                driver.execute_script("arguments[0].scrollIntoView()", section)
                title = section.text.lower().replace(" ", "_")
                driver.save_screenshot(str(arguments.screenshots / f"{name}-{title}.png"))
        errors = [entry["message"] for entry in driver.get_log("browser")
                  if entry["level"] in ("SEVERE", "WARNING")]
        check(not errors, f"console: {errors}")
    finally:
        driver.quit()
    print(f"{len(figures)} figures, {len(rows)} rows; screenshots in {arguments.screenshots}")


if __name__ == "__main__":
    main()
