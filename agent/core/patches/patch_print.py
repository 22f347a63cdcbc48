"""Print patches as git does: `print_patch` for parsed ones, `print_writes` for what is to be written.

Promises that `unified.parse(print_patch(x)) == x`, and that `git apply` takes what `print_writes` gives: modes,
creations, deletions, links, binary files, quoted names, missing final newlines.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence

from agent.core.hunk import Hunk, Write
from agent.core.lines.splice import diff
from agent.core.patches.binary import encode_lines
from agent.core.patches.blob_names import Hash, blob_name
from agent.core.patches.patch import BinaryPatch, BinaryPiece, FilePatch, Patch, PatchHunk
from agent.core.patches.patch_headers import quote
from agent.core.text import Lines, split_lines

NULL = b"/dev/null"
NO_NEWLINE = b"\n\\ No newline at end of file\n"


def print_patch(patch: Patch) -> bytes:
    """The patch as bytes."""
    return b"".join(print_file(file, b"".join(_hunk(hunk) for hunk in file.hunks)) for file in patch.files)


def print_writes(writes: Iterable[Write], context: int = 3, kind: Hash = Hash.SHA1) -> bytes:
    """A git diff of `writes`, in their order, with `context` lines around each change.

    `kind` is that of the repository: git takes binary files only by the full names that they have in it.
    """
    return b"".join(part for write in writes for part in _files(write, context, kind))


def print_hunks(old: Lines, hunks: Iterable[Hunk], context: int = 3) -> bytes:
    """`hunks` over the lines `old` with the lines around them, those that would touch joined."""
    groups: list[list[Hunk]] = []
    reach = 0
    for hunk in hunks:
        if groups and hunk.start <= reach:
            groups[-1].append(hunk)
        else:
            groups.append([hunk])
        reach = hunk.end + 2 * context
    out: list[bytes] = []
    offset = 0
    for group in groups:
        at = max(0, group[0].start - context)
        end = min(len(old), group[-1].end + context)
        grown = sum([len(hunk.new) - len(hunk.old) for hunk in group])
        out.append(_head(at, end - at, at + offset, end - at + grown))
        out += _inside(old, group, at, end) if end < len(old) else _at_the_end(old, group, at)
        offset += grown
    return b"".join(out)


def _inside(old: Lines, group: Sequence[Hunk], at: int, end: int) -> list[bytes]:
    """The body of one hunk of a patch in which no line is the last of its file: most are, so it is made quickly."""
    out: list[bytes] = []
    for hunk in group:
        if at < hunk.start:
            out += (b" ", b" ".join(old[at : hunk.start]))
        if hunk.old:
            out += (b"-", b"-".join(hunk.old))
        if hunk.new:
            out += (b"+", b"+".join(hunk.new))
        at = hunk.end
    if at < end:
        out += (b" ", b" ".join(old[at:end]))
    return out


def _at_the_end(old: Lines, group: Sequence[Hunk], at: int) -> list[bytes]:
    """The same up to the last line of the file."""
    out: list[bytes] = []
    for hunk in group:
        out += [*_marked(b" ", old[at : hunk.start]), *_marked(b"-", hunk.old), *_marked(b"+", hunk.new)]
        at = hunk.end
    return [*out, *_marked(b" ", old[at:])]


def _marked(mark: bytes, lines: Lines) -> list[bytes]:
    """Lines with a mark before each; git says of one without a line ending that it has none."""
    if not lines:
        return []
    return [mark, mark.join(lines), b"" if lines[-1].endswith(b"\n") else NO_NEWLINE]


def _head(start: int, count: int, new_start: int, new_count: int) -> bytes:
    """The header of a hunk; an empty range is told by the line before it."""
    if count > 1 and new_count > 1:
        return b"@@ -%d,%d +%d,%d @@\n" % (start + 1, count, new_start + 1, new_count)
    return b"@@ -%s +%s @@\n" % (_range(start, count), _range(new_start, new_count))


def _range(start: int, count: int) -> bytes:
    return b"%d" % (start + 1) if count == 1 else b"%d,%d" % (start + (count > 0), count)


def _files(write: Write, context: int, kind: Hash) -> Iterator[bytes]:
    old, new = write.old, write.new
    if old == new:
        return
    if old and new and stat.S_IFMT(old.mode) != stat.S_IFMT(new.mode):
        yield from _files(Write(write.path, old, None), context, kind)
        yield from _files(Write(write.path, None, new), context, kind)
        return
    # A binary patch carries its mode in the `index` line; a text that keeps its mode says nothing of it.
    before, after = (b"" if state is None else state.data for state in (old, new))
    body = b""
    binary = None
    if before != after and b"\0" in before[:8000] + after[:8000]:
        binary = BinaryPatch(BinaryPiece(after), BinaryPiece(before))
    elif before != after:
        lines = split_lines(before)
        body = print_hunks(lines, diff(lines, split_lines(after)), context)
    # Without the names of blobs an unchanged mode has no place in the header.
    same_mode = not binary and old is not None and new is not None and old.mode == new.mode
    file = FilePatch(
        write.path if old else None,
        write.path if new else None,
        old_mode=old.mode if old and not same_mode else None,
        new_mode=new.mode if new and not same_mode else None,
        old_blob=blob_name(old.data if old else None, kind) if binary else "",
        new_blob=blob_name(new.data if new else None, kind) if binary else "",
        binary=binary,
        git=True,
    )
    yield print_file(file, body)


def print_file(file: FilePatch, body: bytes) -> bytes:
    """One file of a patch: its headers, and `body`, its hunks as they are printed."""
    out: list[bytes] = []
    if file.git:
        both = (quote(file.old_path or file.path, b"a/"), quote(file.new_path or file.path, b"b/"))
        out += [b"diff --git %s %s\n" % both, *_extended(file)]
    if body or (file.binary and not file.binary.forward):
        first = NULL if file.old_path is None else _tabbed(file.old_path, b"a/")
        second = NULL if file.new_path is None else _tabbed(file.new_path, b"b/")
        form = b"--- %s\n+++ %s\n" if body else b"Binary files %s and %s differ\n"
        out += [form % (first, second), body]
    if file.binary and file.binary.forward:
        out.append(b"GIT binary patch\n")
        out += [_piece(piece) for piece in (file.binary.forward, file.binary.backward) if piece]
    return b"".join(out)


def _tabbed(name: str, prefix: bytes) -> bytes:
    """git puts a tab behind a name with blanks, so that no time stamp is read into it."""
    quoted = quote(name, prefix)
    return quoted + b"\t" if b" " in quoted and not quoted.startswith(b'"') else quoted


def _extended(file: FilePatch) -> Sequence[bytes]:
    lines: list[bytes] = []
    old, new = file.old_mode, file.new_mode
    same = old is not None and old == new
    if file.old_path is None:
        lines += [b"new file mode %06o\n" % new] if new is not None else []
    elif file.new_path is None:
        lines += [b"deleted file mode %06o\n" % old] if old is not None else []
    elif not (same and file.old_blob):
        lines += [b"old mode %06o\n" % old] if old is not None and not same else []
        lines += [b"new mode %06o\n" % new] if new is not None and not same else []
        lines += [b"old mode %06o\nnew mode %06o\n" % (old, old)] if same and old is not None else []
    if file.similarity is not None:
        lines.append(b"similarity index %d%%\n" % file.similarity)
    if file.rename or file.copy:
        verb = b"rename" if file.rename else b"copy"
        names = (verb, quote(file.old_path or ""), verb, quote(file.new_path or ""))
        lines.append(b"%s from %s\n%s to %s\n" % names)
    if file.old_blob:
        mode = b" %06o" % old if same and old is not None else b""
        lines.append(b"index %s..%s%s\n" % (file.old_blob.encode(), file.new_blob.encode(), mode))
    return lines


def _hunk(hunk: PatchHunk) -> bytes:
    head = b"@@"
    if hunk.old_start is not None and hunk.new_start is not None:
        sides = ((hunk.old_start, len(hunk.old)), (hunk.new_start, len(hunk.new)))
        old, new = (b"%d" % start if count == 1 else b"%d,%d" % (start, count) for start, count in sides)
        head = b"@@ -%s +%s @@" % (old, new)
    out = [head, b" " + hunk.section if hunk.section else b"", b"\n"]
    for line in hunk.lines:
        out += [line.kind.encode(), line.data]
        if not line.data.endswith(b"\n"):
            out.append(NO_NEWLINE)
    return b"".join(out)


def _piece(piece: BinaryPiece) -> bytes:
    head = b"%s %d\n" % (b"delta" if piece.delta else b"literal", len(piece.data))
    return head + b"".join(line + b"\n" for line in encode_lines(piece.data)) + b"\n"
