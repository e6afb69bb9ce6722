# SPDX-License-Identifier: MIT
"""Changes that must be found: an entry of a table, the order of operations in a kernel, a step of a proof that is no identity. Each is
made in a copy; nothing of it may be proven then."""
import dataclasses
import shutil
import subprocess

import lemmas


def _copy(root, scratch, path, old, new):
    """The kernels with one text replaced."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(root / "kernels", scratch / "kernels")
    changed = scratch / "kernels" / path
    text = changed.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise lemmas.Failure(f"{path}: not once there: {old}")
    changed.write_text(text.replace(old, new), encoding="utf-8")
    return scratch / "kernels"


def _flags(strict, root, kernels):
    return [flag.replace(f"-I{root / 'kernels'}", f"-I{kernels}") for flag in strict]


def table_entry(root, here, scratch, strict, compiler, isa, run, figures_of):
    """The figure of exp with one entry of its table off by a unit in the last place."""
    kernels = _copy(root, scratch, "maths/exp_f32.h", "0x3f97d424 - (1u << 20)", "0x3f97d425 - (1u << 20)")
    program = scratch / "parts"
    flags = _flags(strict, root, kernels)
    run([compiler, "-O3", "-march=native", *flags, "-c", here / "reference.c", "-o", scratch / "reference.o"])
    run([compiler, "-O2", f"-DSL_UNIT_ISA={isa}", *flags, here / "parts.c", scratch / "reference.o", "-lm", "-o", program])
    return figures_of(subprocess.run([program, "exponentials"], capture_output=True, text=True).stdout)["exp_rounded"]


def operation(root, here, scratch, strict, compiler, isa, run, library, folder):
    """What the comparison says of a kernel whose last product is rounded before it is added."""
    kernels = _copy(root, scratch, "maths/factor.h", "{ return v_fma(e, f.high, v_mul(e, f.low)); }",
                    "{ return v_add(v_mul(e, f.high), v_mul(e, f.low)); }")
    flags = _flags(strict, root, kernels)
    run([compiler, "-O1", f"-DSL_UNIT_ISA={isa}", "-DSL_UNIT_TYPE=f32", *flags, "-c", kernels / "unit.c", "-o", scratch / "unit.o"])
    run([compiler, "-O1", "-mfma", *strict, f"-I{folder}", here / "model.c", scratch / "unit.o", library, "-lm", "-o",
         scratch / "model"])
    return subprocess.run([scratch / "model", isa], capture_output=True, text=True)


def coefficient(root, scratch):
    """The f64 functions with a coefficient of exp's polynomial that is 2^-49 larger."""
    return _copy(root, scratch, "maths/exp_absolute_f64.h", "{0x1.5555555555557p-3,", "{0x1.5555555555597p-3,") / "maths"


def hint(template):
    """The lemma with a step that is no identity."""
    template.body = template.body.replace("(p - e*low)", "(p - e*high)")
    return template


def without_rest(functions):
    """The operations of softmax_backward, where the second part of the dot product is not taken off."""
    grad = functions["softmax_grad"]
    steps = [(name, "f32(b - 0)" if name == "c" else text) for name, text in grad.steps]
    return {**functions, "softmax_grad": dataclasses.replace(grad, steps=steps)}
