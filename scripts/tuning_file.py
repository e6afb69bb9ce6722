# SPDX-License-Identifier: MIT
"""A tuning file, and the C that an export of it has: what chooses, for a call's kernel, element type and size, the winner."""
import json
import re

import flat_sources

MOST_BYTES, FROMS = 1 << 16, (0, *(1 << digit for digit in range(9, 24)))
LINE = ("kernel", "dtype", "tier", "isa", "from")

# Instead of choose() of kernels/dispatch.c, and behind that file.
CHOOSE = """\
/* Above its digit, as bits: which rows may win, of the choice's class of bits. None where SOFTLANE_ISA has made it. */
enum { ROWS_SHIFT = 8 };

static unsigned choose(void)
{
    const unsigned by_name = named();
    const size_t row = best();
    unsigned rows = 0;
    if (by_name)
        return by_name;
    for (size_t i = 0; i < ISA_COUNT; i++)
        rows |= (unsigned)(!why_not(i) && isas[i].table->fma == isas[row].table->fma) << i;
    return rows << ROWS_SHIFT | ((unsigned)row + 1);
}
"""
FASTEST = """\
enum {
#define SL_ISA(name, ...) row_##name,
#include "isas.def"
#undef SL_ISA
    row_automatic
};

static const sl_kernels *sl_active_or(unsigned row)
{
    const sl_kernels *table = atomic_load_explicit(&forced, memory_order_acquire);
    if (table)
        return table;
    return row < ISA_COUNT && made() >> (ROWS_SHIFT + row) & 1 ? isas[row].table : chosen();
}

#define SL_SLOT(name, dt) SL_FASTEST_##name##_##dt
#define sl_active_for(fastest, elements) sl_active_or(fastest(elements))

/* What softlane-tune has found the fastest for n elements. */
"""


class Malformed(Exception):
    pass


class Tuning:
    """What softlane-tune has written (kernels/machine_tuning.h), read as strictly as the library does; but the machine need
    not be this one. `winners` has for a kernel and an element type where each ISA begins to win."""

    def __init__(self, path, version, kernels, dtypes, isas):
        self.winners = {}
        try:
            if not path.is_file():
                raise Malformed("no file")
            text = path.read_bytes()
            if len(text) > MOST_BYTES:
                raise Malformed(f"larger than {MOST_BYTES >> 10} KiB")
            whole = json.loads(text.decode("ascii"), object_pairs_hook=lambda pairs: pairs)
        except OSError as error:
            raise Malformed(error.strerror) from None
        except (ValueError, RecursionError):
            raise Malformed("not JSON") from None
        if b"\\" in text:
            raise Malformed("has escapes in strings")
        its_version, machine, lines = self.fields(whole, ("version", "machine", "winners"))
        if its_version != version:
            raise Malformed(f"not of softlane {version}")
        self.machine = self.fields(machine, ("cpu", "isas", "caches"))
        if not all(isinstance(text, str) and re.fullmatch("[ -~]*", text) for text in self.machine):
            raise Malformed("no machine that softlane-tune would write")
        isas = [isa for isa in self.machine[1].split() if isa in isas]
        if not isinstance(lines, list) or not lines:
            raise Malformed("has no winners")
        order = [(kernel, dtype) for kernel in kernels for dtype in dtypes if flat_sources.has_type(kernel, dtype)]
        last = (-1, -1)
        for line in lines:
            kernel, dtype, tier, isa, first = self.fields(line, LINE)
            is_fast = isinstance(kernel, str) and kernel.endswith("_fast")
            slot = ({"default": kernel, "fast": f"{kernel}_fast"}.get(str(tier)), dtype)
            if is_fast or slot not in order or isa not in isas or type(first) is not int or first not in FROMS:
                raise Malformed(f"no winner that softlane-tune would write: {dict(line)}")
            if (order.index(slot), first) <= last:
                raise Malformed(f"the winners are not in order: {dict(line)}")
            last = (order.index(slot), first)
            self.winners.setdefault(slot, []).append((first, isa))

    @staticmethod
    def fields(pairs, keys):
        """The values of a JSON object with these keys in this order."""
        if not isinstance(pairs, list) or [pair[0] if isinstance(pair, tuple) else None for pair in pairs] != list(keys):
            raise Malformed(f"no object with the keys {', '.join(keys)} in this order")
        return [value for _, value in pairs]

    def macro(self, kernel, dtype):
        """C that gives the row of isas.def which wins, by the elements of a call, n."""
        steps = self.winners.get((kernel, dtype), [])
        if not steps or steps[0][0]:
            steps = [(0, "automatic"), *steps]
        row = f"row_{steps[-1][1]}"
        if len(steps) == 1:
            row = f"(void)(n), {row}"
        else:
            row = "".join(f"(n) < {end} ? row_{isa} : " for (_, isa), (end, _) in zip(steps, steps[1:])) + row
        return f"#define SL_FASTEST_{kernel}_{dtype}(n) ((unsigned)({row}))\n"
