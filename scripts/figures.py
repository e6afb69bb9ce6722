#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes docs/figures and the tables of docs/why_softmax.md from what examples/why_softmax.c computes.

Every number is the program's, and so the library's: here they are drawn and laid out, nothing else. Without options:
builds the program in build/figures, runs it, and writes

  docs/figures/why_softmax.txt   its short lines
  docs/figures/*.svg, *.png      the figures; the same bytes from the same matplotlib on any CPU with FMA
  docs/why_softmax.md            the tables between <!-- figures.py: NAME --> and <!-- end -->

Needs Debian's python3-matplotlib.
"""

import argparse
import math
import pathlib
import re
import subprocess
import sys

import command_line

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "why_softmax.md"
NUMBERS = "why_softmax.txt"

SOFTMAX, SIGMOID, DIVIDED, GREY = "#1f5fa8", "#d1600f", "#7b4a9e", "#666666"
SHORT = 12  # values of a line that the program prints without --all


def import_matplotlib():
    """Not before it is needed: --help is not."""
    global plt, np
    try:
        import matplotlib

        matplotlib.use("agg")
        from matplotlib import pyplot as plt
        import numpy as np
    except ImportError as error:
        command_line.refuse(f"needs python3-matplotlib ({error})")
    matplotlib.rcParams.update({
        "svg.hashsalt": "softlane", "font.size": 9, "axes.titlesize": 9.5, "axes.spines.top": False,
        "axes.spines.right": False, "axes.grid": True, "grid.color": "#e4e4e4", "axes.axisbelow": True,
        "legend.frameon": False, "figure.facecolor": "white", "savefig.dpi": 110,
    })


# -------------------------------------------------------------------------------------------------------- the numbers

def build():
    out = ROOT / "build" / "figures"
    for command in (["cmake", "-S", ROOT, "-B", out, "-DCMAKE_BUILD_TYPE=Release", "-DSOFTLANE_BUILD_TESTS=OFF",
                     "-DSOFTLANE_BUILD_BENCH=OFF"],
                    ["cmake", "--build", out, "--target", "example_why_softmax"]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print(done.stdout[-4000:], file=sys.stderr)
            command_line.refuse("the program does not build")
    return out / "examples" / "example_why_softmax"


def compute(program):
    """The program's lines, and {name: array} of them."""
    done = subprocess.run([program, "--all", ROOT / "tests" / "data"], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        command_line.refuse(f"{program}: exit code {done.returncode}: {done.stdout[-200:]}")
    return done.stdout.splitlines(), read(done.stdout)


def read(text):
    return {name: np.array(values.split(), float) for name, values in re.findall(r"^(\w+): (.*)$", text, re.M)}


def short(lines):
    """Without the long lines, and without the ISA, which is not the same everywhere."""
    return "".join(line + "\n" for line in lines if not line.startswith("#") and line.count(" ") <= SHORT)


def differences(new, old):
    """What is not the same within rounding: ISAs without FMA take another path through 24 epochs of training."""
    for name in sorted(new.keys() | old.keys()):
        if name not in new or name not in old or new[name].shape != old[name].shape:
            yield f"{name}: is not in both"
        elif name.endswith("_ulp") or "_ulp_" in name or "radius_minus" in name:
            pass  # rounding itself; the program holds it to its bound
        elif not np.allclose(new[name], old[name], rtol=0.02, atol=2 if counts(name) else 1e-6):
            yield f"{name}: {new[name]} was {old[name]}"


def counts(name):
    return re.search(r"right|_count|sets_found|wrong_labels|rows_with", name)


# ---------------------------------------------------------------------------------------------------------- the tables

def number(value):
    return f"{value:.3g}" if value and (abs(value) < 0.01 or abs(value) >= 1e5) else f"{value:.3f}".rstrip("0").rstrip(".")


def row(values, form=number):
    return " ".join(form(v) for v in values)


def markdown(heading, rows):
    return "\n".join(["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading),
                      *("| " + " | ".join(cells) + " |" for cells in rows)])


def sign_test(a, b):
    """Two-sided: how often equals would differ by as much as a against b."""
    n, k = int(a + b), int(min(a, b))
    return min(1, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)


def percent(share):
    return f"{100 * share:.1f} %"


def tables(d):
    images = int(d["digits_softmax_count"].sum())
    sizes = d["pairs_with_no_one_two_labels"]

    def found(values):
        return [percent(values.sum() / images), *(percent(v / n) for v, n in zip(values, sizes))]

    def exact(values):
        return row(values, "{:.9g}".format)

    yield "logits", markdown(["logits (f32)", "sigmoid", "softmax"], [
        [f"`{exact(d['logits_for_sigmoid'])}`", f"**{row(d['their_sigmoid'])}**, sum {number(d['their_sigmoid_sum'][0])}",
         f"{row(d['their_softmax'])}, sum 1"],
        [f"`{exact(d['logits_for_softmax'])}`",
         f"{row(d['those_sigmoid'])}, sum {number(d['those_sigmoid'].sum())}",
         f"**{row(d['those_softmax'])}**, sum {number(d['those_softmax_sum'][0])}"]])
    yield "constant", markdown(["to get", "x1 - x2", "x2 - x3"], [
        ["0.7 0.6 0.8 from sigmoid", *map(number, d["distances_for_sigmoid"])],
        ["0.90 0.05 0.05 from softmax", *map(number, d["distances_for_softmax"])]]) + (
        f"\n\nThe constant that brings sigmoid of the softmax logits nearest, {number(d['nearest_constant'][0])}, leaves one"
        f" output off by {number(d['nearest_constant'][1])}.")
    yield "comparison", markdown(["", "softmax", "sigmoid"], [
        ["output range", *(f"(0, 1); here {number(d[f + '_range'][0])} to {d[f + '_range'][1]:.8f}" for f in
                           ("softmax", "sigmoid"))],
        ["sum of outputs", f"1; here to within {np.abs(d['softmax_sum'] - 1).max():.1g}",
         f"anything from 0 to the number of classes; here {d['sigmoid_sum'][0]:.2f} to {d['sigmoid_sum'][1]:.2f}"],
        ["another class's logit grows by 1", f"outputs move by up to {number(d['softmax_moved_by_another_logit'][0])}",
         f"outputs move by {number(d['sigmoid_moved_by_another_logit'][0])}"],
        ["class type", f"multi-class: one right class. Rows with two outputs above 1/2: "
         f"{int(d['softmax_rows_with_several_above_half'][0])}",
         f"multi-label: independent. Rows with two outputs above 1/2: "
         f"{int(d['sigmoid_rows_with_several_above_half'][0])} of {images}"],
        ["best use: one right class", f"log loss {number(d['digits_softmax_log_loss'][0])}, "
         f"calibration error {percent(d['digits_softmax_calibration_error'][0])}",
         f"log loss {number(d['digits_divided_log_loss'][0])}, "
         f"calibration error {percent(d['digits_sigmoid_calibration_error'][0])}"],
        ["best use: several labels", f"sets found {percent(d['pairs_softmax_sets_found_at_tuned_threshold'].sum() / images)}",
         f"sets found {percent(d['pairs_sigmoid_sets_found_at_tuned_threshold'].sum() / images)}"]])
    right, only = d["digits_right"], d["digits_right_by_one_only"]
    yield "digits", markdown(["", "softmax + cross-entropy", "sigmoid + BCE", "the same, divided by their sum"], [
        ["right, of 1797", *(f"{int(r)} ({percent(r / images)})" for r in right), "as beside"],
        ["right where the other is wrong", *(str(int(o)) for o in only), ""],
        ["mean of the largest output", *(percent(d[f"digits_{f}_mean_confidence"][0]) for f in
                                         ("softmax", "sigmoid", "divided"))],
        ["expected calibration error", *(percent(d[f"digits_{f}_calibration_error"][0]) for f in
                                         ("softmax", "sigmoid", "divided"))],
        ["log loss", number(d["digits_softmax_log_loss"][0]), "not a distribution",
         number(d["digits_divided_log_loss"][0])],
        ["sum of outputs", "1", row(d["digits_sigmoid_sum"]).replace(" ", " to "), "1"],
        ["right after 1, 2, 3 epochs", *(", ".join(percent(v) for v in d[f"digits_{f}_early_accuracy"][1:]) for f in
                                         ("softmax", "sigmoid")), ""],
        ["rate chosen in each fold", *(row(d[f"digits_{f}_rates"]) for f in ("softmax", "sigmoid")), ""]]) + (
        f"\n\nIn accuracy, equals would differ by this much or more in {percent(sign_test(*only))} of such comparisons (sign "
        "test on the images that only one of the two gets right).")
    ways = [("softmax, p > 1/2", "softmax_sets_found_at_half"),
            ("softmax, best threshold", "softmax_sets_found_at_tuned_threshold"),
            ("sigmoid, p > 1/2", "sigmoid_sets_found_at_half"),
            ("sigmoid, best threshold", "sigmoid_sets_found_at_tuned_threshold"),
            ("softmax, told how many", "softmax_sets_found_when_told_the_number"),
            ("sigmoid, told how many", "sigmoid_sets_found_when_told_the_number")]
    yield "pairs", markdown(["exactly the right set", "all", *(f"{int(n)} with {k} label{'s' * (k != 1)}"
                                                              for k, n in enumerate(sizes))],
                            [[way, *found(d["pairs_" + key])] for way, key in ways]) + (
        f"\n\nWrong labels at the best threshold, of {images * 10}: {int(d['pairs_softmax_wrong_labels'][0])} by softmax, "
        f"{int(d['pairs_sigmoid_wrong_labels'][0])} by sigmoid. Thresholds: softmax "
        f"{row(d['pairs_softmax_thresholds'])}, sigmoid {row(d['pairs_sigmoid_thresholds'])}, one per fold.")
    yield "level", (f"Found by halving along 65 rays, the points with z = 1 are at a distance of 1 from the middle, to within "
                    f"{d['level_curve_radius_minus_1'][0]:.1g}; the surface itself climbs to {number(d['surface_range'][1])} "
                    "in the corners drawn here.")
    terms = d["chain_terms"]
    yield "chain", markdown(["dh/df", "df/dx", "dh/dg", "dg/dx", "sum of products", "p - t", "fused kernel",
                             "difference quotient"],
                            [[*(f"{v:.9f}" for v in terms), *(f"{d[key][0]:.9f}" for key in (
                                "chain_sum", "chain_p_minus_t", "chain_fused", "chain_difference_quotient"))]])
    others, right_class = (d["f32_other_classes_ulp_jacobian_and_one_call"],
                           d["f32_right_class_ulp_jacobian_difference_and_one_call"])
    yield "jacobian", markdown(["largest error, ULP of the exact entry", "through the Jacobian", "p - y", "fused"], [
        ["f32, the other classes", f"{others[0]:.2f}", "-", f"{others[1]:.2f}"],
        ["f32, the right class", *(f"{v:.2f}" for v in right_class)],
        ["f64, the other classes, from the fused kernel", f"{d['jacobian_f64_other_classes_ulp'][0]:.0f}", "-", "-"],
        ["f64, all entries, from the fused kernel, in ULP of 1", f"{d['jacobian_f64_all_in_ulp_of_1'][0]:.2g}", "-",
         "-"]]) + (
        f"\n\nOf the logits `20 0 0` with the first class right, p - y in f32 is {number(d['sure_p_minus_1_and_one_call'][0])}; "
        f"the fused kernel gives {d['sure_p_minus_1_and_one_call'][1]:.4g}.")
    yield "descent", markdown(["", "cost", "w1", "w2"], [
        ["start", number(d["descent_first_and_last_cost"][0]), *map(number, d["descent_path"][:2])],
        ["after 40 steps", number(d["descent_first_and_last_cost"][1]), *map(number, d["descent_end"])]])


def fill(page, blocks):
    for name, text in blocks:
        page, times = re.subn(rf"(<!-- figures\.py: {name} -->\n).*?(<!-- end -->)",
                              lambda match: match[1] + text + "\n" + match[2], page, flags=re.S)
        if times != 1:
            command_line.refuse(f"{PAGE.name}: needs one block '{name}'")
    return page


# --------------------------------------------------------------------------------------------------------- the figures

def two_functions(d):
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.9), sharey=True, layout="constrained")
    for ax, which, logits in ((axes[0], "their", d["logits_for_sigmoid"]), (axes[1], "those", d["logits_for_softmax"])):
        for name, colour, shift in (("sigmoid", SIGMOID, -0.2), ("softmax", SOFTMAX, 0.2)):
            values = d[f"{which}_{name}"]
            bars = ax.bar(np.arange(3) + shift, values, 0.36, color=colour,
                          label=f"{name}, sum {number(values.sum())}")
            ax.bar_label(bars, [f"{v:.2f}" for v in values], padding=1, fontsize=8)
        ax.set_xticks(range(3), [f"class {c + 1}\nlogit {x:.3f}" for c, x in enumerate(logits)])
        ax.grid(axis="x", visible=False)
        ax.legend(loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.0), columnspacing=1, handlelength=1)
        ax.set_ylim(0, 1.18)
    axes[0].set_title("logits for which sigmoid gives 0.7, 0.6, 0.8")
    axes[1].set_title("logits for which softmax gives 0.90, 0.05, 0.05")
    axes[0].set_ylabel("output")
    return figure


def constant(d):
    figure, ax = plt.subplots(figsize=(7.2, 3), layout="constrained")
    x = d["constant"]
    softmax, sigmoid = d["softmax_by_constant"].reshape(-1, 2), d["sigmoid_by_constant"].reshape(-1, 2)
    for column, style, label in ((0, "-", "class 1"), (1, "--", "classes 2 and 3")):
        ax.plot(x, softmax[:, column], style, color=SOFTMAX, label=f"softmax, {label}")
        ax.plot(x, sigmoid[:, column], style, color=SIGMOID, label=f"sigmoid, {label}")
    for c, wanted in enumerate((0.7, 0.6, 0.8)):
        ax.axhline(wanted, color=GREY, linewidth=0.8, linestyle=":")
        ax.text(x[-1] + 0.06, wanted, f"class {c + 1}: {wanted}", va="center", fontsize=8, color=GREY)
    ax.set_xlim(x[0], x[-1])
    ax.set_xlabel("constant added to the logits log 0.90, log 0.05, log 0.05")
    ax.set_ylabel("output")
    ax.legend(loc="upper left", bbox_to_anchor=(1.16, 1))
    return figure


def digits_curves(d):
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.8), layout="constrained")
    for name, colour, style, label in (("softmax", SOFTMAX, "-", "softmax + cross-entropy"),
                                       ("sigmoid", SIGMOID, "--", "sigmoid + BCE")):
        accuracy, loss = (d[f"digits_{name}_{what}_by_epoch"] for what in ("accuracy", "log_loss"))
        epochs = np.arange(len(accuracy))
        axes[0].plot(epochs[1:], 100 * accuracy[1:], style, color=colour, label=label)
        axes[1].plot(epochs[1:], loss[1:], style, color=colour, label=label)
    axes[0].set_ylabel("right on unseen images, %")
    axes[1].set_ylabel("log loss on unseen images, nats")
    axes[1].set_ylim(bottom=0)
    axes[0].legend(loc="lower right")
    for ax in axes:
        ax.set_xlabel("epochs")
    return figure


def digits_calibration(d):
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.3), layout="constrained", width_ratios=(1, 1))
    ax = axes[0]
    ax.plot([0, 100], [0, 100], color=GREY, linewidth=0.8)
    ax.text(17, 20, "as said", color=GREY, fontsize=8, rotation=45, rotation_mode="anchor")
    for i, (name, colour, marker, label) in enumerate((
            ("softmax", SOFTMAX, "o", "softmax"), ("sigmoid", SIGMOID, "s", "sigmoid"),
            ("divided", DIVIDED, "^", "sigmoid, divided by its sum"))):
        said, right, count = (d[f"digits_{name}_{what}"] for what in ("said", "right", "count"))
        seen = count >= 10
        ax.plot(100 * said[seen], 100 * right[seen], marker=marker, color=colour, markersize=4.5, linewidth=1, label=label)
        axes[1].bar(np.arange(10) * 10 + 5 + (i - 1) * 2.8, count, 2.8, color=colour)
    ax.set_xlabel("the likeliest class was said to be likely, %")
    ax.set_ylabel("and was right, %")
    ax.set_xlim(0, 101)
    ax.set_ylim(0, 101)
    ax.set_aspect("equal")
    ax.legend(loc="lower right", fontsize=8, bbox_to_anchor=(1.02, 0))
    axes[1].set_yscale("log")
    axes[1].set_xticks(range(0, 101, 20))
    axes[1].set_xlabel("the likeliest class was said to be likely, %")
    axes[1].set_ylabel("images")
    ax.set_title("bins of 10 images or more")
    axes[1].set_title("how many were in each bin")
    return figure


def pairs(d):
    figure, axes = plt.subplots(3, 2, figsize=(7.2, 4.6), layout="constrained", width_ratios=(1, 2.6))
    for size, (image, bars) in enumerate(axes):
        image.imshow(d[f"pair_of_{size}_labels"].reshape(8, 16), cmap="gray_r", vmin=0, vmax=1)
        image.axvline(7.5, color=GREY, linewidth=0.6)
        image.set_xticks([])
        image.set_yticks([])
        image.grid(False)
        image.spines[["top", "right"]].set_visible(True)
        labels = np.flatnonzero(d[f"set_of_{size}_labels"])
        image.set_title("in it: " + (", ".join(map(str, labels)) or "nothing"))
        for name, colour, shift in (("softmax", SOFTMAX, -0.2), ("sigmoid", SIGMOID, 0.2)):
            bars.bar(np.arange(10) + shift, d[f"pairs_{name}_of_{size}_labels"], 0.38, color=colour, label=name)
        bars.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")
        bars.set_ylim(0, 1.05)
        bars.set_xticks(range(10))
        bars.set_ylabel("output")
        bars.grid(axis="x", visible=False)
    axes[0][1].legend(loc="upper right", ncols=2)
    axes[2][1].set_xlabel("class")
    return figure


def pairs_found(d):
    figure, ax = plt.subplots(figsize=(7.2, 2.9), layout="constrained")
    sizes = d["pairs_with_no_one_two_labels"]
    for i, (name, way, colour, hatch, label) in enumerate((
            ("softmax", "at_half", SOFTMAX, "//", "softmax, p > 1/2"),
            ("softmax", "at_tuned_threshold", SOFTMAX, "", "softmax, best threshold"),
            ("sigmoid", "at_half", SIGMOID, "//", "sigmoid, p > 1/2"),
            ("sigmoid", "at_tuned_threshold", SIGMOID, "", "sigmoid, best threshold"))):
        values = d[f"pairs_{name}_sets_found_{way}"] / sizes * 100
        bars = ax.bar(np.arange(3) + (i - 1.5) * 0.21, values, 0.19, color=colour if not hatch else "white",
                      edgecolor=colour, hatch=hatch, label=label)
        ax.bar_label(bars, [f"{v:.0f}" for v in values], padding=1, fontsize=8)
    ax.set_xticks(range(3), [f"{int(n)} pairs with {k} label{'s' * (k != 1)}" for k, n in enumerate(sizes)])
    ax.set_ylabel("exactly the right set, %")
    ax.set_ylim(0, 112)
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def draw_surface(ax, x, y, z, **options):
    ax.plot_surface(*np.meshgrid(x, y), z, cmap="viridis", linewidth=0, antialiased=True, rcount=60, ccount=60,
                    **options)
    ax.tick_params(pad=-1, labelsize=8)


def level_curve(d):
    figure = plt.figure(figsize=(7.6, 3.4), layout="constrained")
    axis = d["surface_axis"]
    z = d["surface_height"].reshape(len(axis), -1)
    circle = d["level_curve"].reshape(-1, 2)
    circle = circle[np.argsort(np.arctan2(circle[:, 1], circle[:, 0]))]
    circle = np.vstack([circle, circle[:1]])
    left = figure.add_subplot(1, 2, 1, projection="3d", computed_zorder=False)
    draw_surface(left, axis, axis, z, alpha=0.85)
    left.plot(circle[:, 0], circle[:, 1], 1, color="crimson", linewidth=2)
    left.set(xlabel="x", ylabel="y", zlabel="z")
    left.set_title("the surface z = x² + y², cut at z = 1")
    left.set_box_aspect(None, zoom=0.95)
    right = figure.add_subplot(1, 2, 2)
    lines = right.contour(axis, axis, z, levels=[0.25, 0.5, 2, 3], cmap="viridis", linewidths=0.9)
    right.clabel(lines, fmt="z = %g", fontsize=7)
    right.plot(circle[:, 0], circle[:, 1], color="crimson", linewidth=2, label="z = 1: x² + y² = 1")
    right.set(xlabel="x", ylabel="y", aspect="equal", ylim=(-1.5, 2.0))
    right.set_title("its level curves")
    right.legend(loc="upper center")
    return figure


def chain_rule(d):
    figure, ax = plt.subplots(figsize=(7.2, 3.2), layout="constrained")
    floor = 0.02
    for key, colour, marker, label in (("ulp_of_jacobian", SIGMOID, "s", "through the Jacobian, and p - y"),
                                       ("ulp_of_one_call", SOFTMAX, "o", "sl_cross_entropy_f32 in one call")):
        ax.plot(d["doubt"], np.maximum(d[key], floor), marker, markersize=2, color=colour, alpha=0.6, linestyle="none",
                label=label, rasterized=True)
    ax.axhline(3.5, color=GREY, linewidth=0.9, linestyle="--")
    ax.text(1e-5, 4.2, "its bound, 3.5 ULP", color=GREY, fontsize=8)
    ax.set(xscale="log", yscale="log", xlabel="1 - p of the right class: the size of the gradient's entry",
           ylabel="error of the entry, ULP (f32)")
    ax.set_ylim(bottom=floor)
    ax.legend(loc="upper right", markerscale=3)
    return figure


def loss_and_cost(d):
    figure = plt.figure(figsize=(7.6, 6.4), layout="constrained")
    axis = d["weight_axis"]
    path, costs = d["descent_path"].reshape(-1, 2), d["descent_cost"]
    for column, (key, title) in enumerate((("loss_of_one", "loss: of one image, an 8"),
                                           ("cost_of_all", f"cost: mean over {int(d['pictures_of_3_and_8'][0])} images"))):
        z = d[key].reshape(len(axis), -1)
        above = figure.add_subplot(2, 2, 1 + column, projection="3d", computed_zorder=False)
        draw_surface(above, axis, axis, z, alpha=0.85)
        above.view_init(elev=32, azim=-118)
        above.set(xlabel="w1", ylabel="w2", zlabel="nats")
        above.set_title(title)
        above.set_box_aspect(None, zoom=0.88)
        below = figure.add_subplot(2, 2, 3 + column)
        lines = below.contour(axis, axis, z, levels=[0.1, 0.25, 0.5, 1, 2, 3, 4, 6], cmap="viridis", linewidths=0.9)
        below.clabel(lines, fmt="%g", fontsize=7)
        below.set(xlabel="w1: ink at the left", ylabel="w2: ink at the top", aspect="equal")
        if column:
            above.plot(path[:, 0], path[:, 1], costs, "o-", color="crimson", markersize=2.5, linewidth=1)
            below.plot(path[:, 0], path[:, 1], "o-", color="crimson", markersize=2.5, linewidth=1,
                       label=f"{len(path) - 1} steps downhill")
            below.legend(loc="lower left", fontsize=8, frameon=True)
    return figure


FIGURES = {"two_functions.svg": two_functions, "constant.svg": constant, "digits_curves.svg": digits_curves,
           "digits_calibration.svg": digits_calibration, "pairs.svg": pairs, "pairs_found.svg": pairs_found,
           "level_curve.png": level_curve, "chain_rule.svg": chain_rule, "loss_and_cost.png": loss_and_cost}


def save(figure, path):
    figure.savefig(path, metadata={"Date": None, "Creator": None} if path.suffix == ".svg" else {"Software": None})
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.add_argument("--program", type=pathlib.Path, help="example_why_softmax, built already")
    parser.add_argument("--check", type=pathlib.Path, metavar="FOLDER",
                        help="write all to FOLDER instead, and fail if the numbers are not those of docs")
    arguments = parser.parse_args()
    if arguments.program and not arguments.program.is_file():
        command_line.refuse(f"--program: {arguments.program} is not a file")
    import_matplotlib()

    lines, numbers = compute(arguments.program or build())
    figures = arguments.check or ROOT / "docs" / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        save(draw(numbers), figures / name)
    page = fill(PAGE.read_text(encoding="utf-8"), tables(numbers))
    (arguments.check / PAGE.name if arguments.check else PAGE).write_text(page, encoding="utf-8")
    (figures / NUMBERS).write_text(short(lines), encoding="utf-8")

    if arguments.check:
        found = list(differences(read(short(lines)), read((ROOT / "docs" / "figures" / NUMBERS).read_text("utf-8"))))
        print("\n".join(found) if found else f"{len(FIGURES)} figures made; the numbers are those of docs/figures/{NUMBERS}")
        sys.exit(bool(found))


if __name__ == "__main__":
    command_line.run(main)
