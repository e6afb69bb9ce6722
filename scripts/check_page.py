#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Opens the page of examples/browser in headless Chromium: nothing on the console, bits as they should be, SIMD128 faster than
plain C, and plain C alone where there is no SIMD128; leaves screenshots.

Needs Debian's chromium, chromium-driver and python3-selenium.
"""

import argparse
import pathlib
import subprocess

import check_report
import command_line
from check_report import check

STATE = "return state.textContent"
CELLS = """return [...document.querySelectorAll('#rows tr')].map(row => [...row.cells].map(cell =>
    [...cell.childNodes].map(e => e.textContent).filter(Boolean)))"""
NO_SIMD = "WebAssembly.validate = () => false"


def finish(driver):
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 60).until(lambda driver: driver.execute_script(STATE).startswith(("done", "failed")))
    return driver.execute_script(STATE)


def check_rows(driver, program, shape, has_simd):
    said = subprocess.run([program, "scalar", *shape.split()], check=True, capture_output=True, text=True).stdout
    wanted = [line.split()[2] for line in said.splitlines()]
    rows = driver.execute_script(CELLS)
    check(len(rows) == len(wanted) > 0, f"{shape}: {len(rows)} rows")
    for (name, plain, simd, ratio, bits), want in zip(rows, wanted):
        what = f"{shape}, {name[0]}"
        check(float(plain[0]) > 0, f"{what}: {plain[0]} ns")
        check(bits == [want] + ["the same"] * has_simd, f"{what}: {bits} instead of {want}")
        check(not has_simd and (simd, ratio) == (["none"], []) or has_simd and float(ratio[0]) > 0, f"{what}: {simd}, {ratio}")
        print(f"{what}: {plain[0]} ns/element, SIMD128 {simd[0]}")


def check_sizes(driver, directory):
    papers = set()
    for name, (width, height) in check_report.SIZES.items():
        for scheme in check_report.SCHEMES:
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
            papers.add(driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
            check(driver.execute_script("return document.documentElement.scrollWidth") <= width, f"{name}: wider than the screen")
            driver.save_screenshot(str(directory / f"{name}-{scheme}.png"))
    check(len(papers) == 2, "light and dark look alike")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    command_line.add_version(parser)
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path, required=True, help="examples/browser/kernels.c built for this machine")
    parser.add_argument("--screenshots", type=pathlib.Path, required=True, metavar="DIRECTORY")
    arguments = parser.parse_args()
    arguments.screenshots.mkdir(parents=True, exist_ok=True)
    driver = check_report.chromium()
    try:
        driver.get(arguments.page.resolve().as_uri())
        shapes = driver.execute_script("return [...shape.options].map(option => option.value)")
        for i, shape in enumerate(shapes):
            if i > 0:
                driver.execute_script("shape.selectedIndex = arguments[0]; document.querySelector('button').click()", i)
            check(finish(driver) == "done", driver.execute_script(STATE))
            check_rows(driver, arguments.program, shape, has_simd=True)
        check_sizes(driver, arguments.screenshots)
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NO_SIMD})
        driver.get(arguments.page.resolve().as_uri())
        check(finish(driver) == "done; this browser has no SIMD128", driver.execute_script(STATE))
        check_rows(driver, arguments.program, shapes[0], has_simd=False)
        check_report.check_logs(driver)
    finally:
        driver.quit()


if __name__ == "__main__":
    command_line.run(main)
