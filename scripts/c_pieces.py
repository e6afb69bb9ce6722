# SPDX-License-Identifier: MIT
"""Formatted C, piece by piece: which pieces others need, and what they define.

A piece is what begins in column 0, as clang-format leaves it, with the comment before it: a definition, a directive, or a
macro and all up to its #undef. A comment before a blank line is a piece of its own. Nothing else is known of C.
"""
import re

# How a piece begins, the name that it then defines being the group, and what else is appended to the name.
DEFINITIONS = [(re.compile(pattern), endings) for pattern, *endings in (
    (r"#define (\w+)", ""),
    (r"SL_PAIRED_\d\(\w+, (\w+)", "", "_half"),
    (r"SL_PAIRED_TRANSPOSED\((\w+)", "_load_transposed", "_store_transposed"),
    (r"SL_PARTIAL\((\w+)", "_load_n", "_store_n"),
    (r"SL_MASKED_FMA\(\w+, \w+, (\w+)", ""),
    (r"typedef [^{;]*\(\*(\w+)\)\(", ""),
    (r"typedef [^{(]*\b(\w+);", ""),
    (r"(?:extern |static )?_Atomic\([^)]*\) (\w+)", ""),
    (r"(?!typedef|enum)[\w *]*[ *](\w+)(?:[(\[;]| =)", ""),
)]
OF_A_FILE, HEADING, COMMENT, CODE = range(4)  # ranks; a comment alone goes with the next piece of a higher one


def bare(text):
    """Without comments and strings."""
    return re.sub(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', " ", text, flags=re.S)


class Piece:
    def __init__(self, comment, body, after_blank):
        self.comment, self.body, self.after_blank = comment, body, after_blank
        self.rank = CODE if body else {"/* =": OF_A_FILE, "/* -": HEADING}.get(comment[:4], COMMENT)
        self.is_macro = body.startswith("#define") and "\n#undef" not in body
        code = bare(body)
        self.words, self.pasted, self.names = set(re.findall(r"\w+", code)), set(re.findall(r"(\w+_)##", code)) - {"sl_"}, set()
        if body.startswith("#") and not self.is_macro:
            return
        for match, endings in ((pattern.match(code), endings) for pattern, endings in DEFINITIONS):
            if match:
                self.names.update(match[1] + ending for ending in endings)
                self.words.update(name.removesuffix("_n") for name in self.names)  # what SL_PARTIAL pastes
                break
        self.names.update(re.findall(r"^(?:typedef .*)?} ?(\w+)", code, re.M))
        if re.match(r"(typedef )?enum\b", code):
            self.names.update(re.findall(r"[{,]\s*(\w+)", code))

    def text(self):
        return "\n" * self.after_blank + "".join(part + "\n" for part in (self.comment, self.body) if part)


def pieces_of(text):
    pieces, lines, after_blank = [], text.split("\n"), True
    while lines:
        if not lines[0]:
            lines.pop(0)
            after_blank = True
            continue
        comment, body = [], []
        if lines[0].startswith("/*"):
            while not comment or not comment[-1].endswith("*/"):
                comment.append(lines.pop(0))
        if lines[0] and not lines[0].startswith("/*"):
            body.append(lines.pop(0))
            while body[-1].endswith("\\"):
                body.append(lines.pop(0))
            macro = re.match(r"#define (\w+)", body[0])
            if macro and f"#undef {macro[1]}" in lines[:lines.index("")]:
                while body[-1] != f"#undef {macro[1]}":
                    body.append(lines.pop(0))
            is_open = body[0].endswith("{") and not body[0].startswith("extern")
            while is_open or lines[0].startswith((" ", "{")):
                body.append(lines.pop(0))
                if not body[-1].startswith((" ", "#")):
                    is_open = body[-1].endswith("{") or is_open and not body[-1].startswith("}")
        pieces.append(Piece("\n".join(comment), "\n".join(body), after_blank))
        after_blank = False
    return pieces


def resolved(text, known):
    """Without the conditions that are known, {line: truth}, and what they leave out."""
    out, truths = "", []
    for line in text.splitlines(keepends=True):
        if line.startswith("#if"):
            truths.append(known.get(line.strip()))
        is_known = bool(truths) and truths[-1] is not None and line.startswith(("#if", "#else", "#endif"))
        if is_known and line.startswith("#else"):
            truths[-1] = not truths[-1]
        if not is_known and False not in truths:
            out += line
        if line.startswith("#endif"):
            truths.pop()
    return out


def reached(pieces, roots, unchosen):
    """The indices of pieces that define a root or what another of them mentions; those that define nothing are among them. A word
    before ## stands for the names that begin so, but for those that end in a word that is not chosen."""
    where, found = {}, set()
    for at, piece in enumerate(pieces):
        for name in piece.names:
            where.setdefault(name, []).append(at)
    asserts = {at for at, piece in enumerate(pieces) if piece.body.startswith("_Static_assert")}
    todo = {at for at, piece in enumerate(pieces) if not piece.names} - asserts
    todo.update(at for root in roots for at in where.get(root, ()))
    while todo:
        user = todo.pop()
        found.add(user)
        words = pieces[user].words.union(name for start in pieces[user].pasted for name in where
                                         if name.startswith(start) and name.removeprefix(start) not in unchosen)
        todo.update(at for word in words for at in where.get(word, ()) if at not in found
                    and (at < user or pieces[at].is_macro or pieces[user].is_macro))  # C declares before use, macros need not
    return found | {at for at in asserts if all(found.intersection(where[word]) for word in pieces[at].words if word in where)}


def needed(pieces, roots, unchosen=()):
    """The pieces that are reached, without conditions and headings of nothing. A comment goes on to the next piece when its
    own is not reached and no blank line follows."""
    found, out, comment, after_blank = reached(pieces, roots, unchosen), [], "", False
    for at, piece in enumerate(pieces):
        after_blank |= piece.after_blank
        if piece.comment or piece.after_blank or piece.body.startswith("#"):
            comment = piece.comment
        if at not in found:
            continue
        if piece.body.startswith("#endif"):
            while out[-1].rank < CODE or out[-1].body.startswith("#el"):
                after_blank |= out.pop().after_blank
            if out[-1].body.startswith("#if"):
                after_blank |= out.pop().after_blank
                continue
        piece.comment, piece.after_blank, comment, after_blank = comment, after_blank, "", False
        out.append(piece)
    rank, backwards = OF_A_FILE, []
    for piece in reversed(out):
        if piece.rank == CODE or rank > piece.rank:
            backwards.append(piece)
            rank = piece.rank
    # A condition of nothing needs nothing any more.
    return backwards[::-1] if len(backwards) == len(pieces) else needed(backwards[::-1], roots, unchosen)
