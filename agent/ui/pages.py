"""A session's document written out: as Markdown, and as one HTML page without scripts or anything from outside."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from agent.core.cards.rows import RowKind
from agent.core.cards.view import CardView, FileView, Level
from agent.core.clean import Clean, Segment, clean, lines_of, plain
from agent.ui.export import Document, Shown, Words
from agent.ui.story import Saying

_SIGNS = {RowKind.ADD: "+", RowKind.REMOVE: "-", RowKind.CONTEXT: " "}

_CSS = """
:root{color-scheme:light dark;--bg:#fff;--ink:#24292f;--dim:#6e7781;--line:#d0d7de;--add:#e3f9e8;--adds:#a4ecb6;
--rem:#ffebe9;--rems:#ffbdb6;--code:#0550ae;--bad:#b3261e;--good:#1a7f37;--warn:#8a5700}
@media(prefers-color-scheme:dark){:root{--bg:#1e1e2e;--ink:#cdd6f4;--dim:#8a8fa3;--line:#45475a;--add:#12291b;
--adds:#22683b;--rem:#331618;--rems:#84282f;--code:#8ab4f8;--bad:#ff7b72;--good:#7bc98f;--warn:#e5b567}}
body{background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:60rem;
margin:2rem auto;padding:0 1rem}
header p,.quiet,.dim,td.n{color:var(--dim)}
.person{border-left:3px solid var(--code);padding-left:.8rem;white-space:pre-wrap;font-weight:600}
.model,.question{white-space:pre-wrap}
.card{border:1px solid var(--line);border-radius:8px;margin:1rem 0;padding:.6rem 1rem;overflow-x:auto}
.card h2{font-size:1rem;margin:.2rem 0}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
table{border-collapse:collapse;width:100%;font:13px/1.45 ui-monospace,monospace}
td{padding:0 .5rem;white-space:pre-wrap;overflow-wrap:anywhere;vertical-align:top}
td.n{text-align:right;width:1%;white-space:nowrap}
tr.add{background:var(--add)}tr.add b{background:var(--adds);font-weight:inherit}
tr.remove{background:var(--rem)}tr.remove b{background:var(--rems);font-weight:inherit}
mark{background:var(--bad);color:var(--bg);border-radius:2px}code{color:var(--code)}
"""


def markdown(found: Document) -> str:
    """The document as Markdown; every text of others is inside a fence or escaped."""
    return "\n".join(_markdown(found)) + "\n"


def _markdown(found: Document) -> Iterator[str]:
    yield f"# copair: {_md(lines_of(found.title)[0])}"
    yield f"\nWith {_md(found.model) or 'no model'}; {found.withheld} secrets withheld.\n"
    for entry in found.entries:
        match entry:
            case Words(who="person", text=text):
                yield "".join(f"> **{_md(line)}**\n" if line else ">\n" for line in lines_of(text))
            case Words(text=text):
                yield f"{_fence(text)}\n"
            case Saying(sign=sign, word=word, text=text):
                yield f"*{f'{sign} {word}'.strip()}* {_md(text)}\n"
            case Shown(view=view):
                yield from _markdown_card(view)


def _markdown_card(view: CardView) -> Iterator[str]:
    yield f"## {_md(view.title)} ({_md(view.size)})\n"
    yield f"{_md(plain(view.why))}\n"
    for special in view.specials:
        bold = "**" if special.level is Level.RISK else ""
        yield f"- {bold}{_md(special.text)}{bold}"
    for note in view.notes:
        yield f"- {_md(note)}"
    for label, texts in (("assumes", view.assumes), ("risk", view.model_risks)):
        yield from (f"- {label}: {_md(text)}" for text in texts)
    for evidence in view.evidence:
        yield f"- {evidence.verdict}: {_md(evidence.text)}"
    yield ""
    for file in view.files:
        yield from (f"{_md(file.path)}: {_md(plain(because))}\n" for because in file.because)
        rows = [f"--- {file.path}", *(_diff_row(row.kind, row.text) for row in file.rows)]
        yield f"{_fence(clean(chr(10).join(rows), multiline=True), 'diff')}\n"


def _diff_row(kind: RowKind, text: Clean) -> str:
    if kind is RowKind.HEAD:
        return f"@@ {text}".rstrip()
    return f"{_SIGNS[kind]}{text}" if kind in _SIGNS else f"\\ {text}"


def _fence(text: Clean, language: str = "text") -> str:
    """A fence that `text` cannot close."""
    ticks = "```"
    while ticks in text:
        ticks += "`"
    return f"{ticks}{language}\n{text.strip(chr(10))}\n{ticks}"


def _md(text: str) -> str:
    """Text in which nothing is Markdown or HTML."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>#|!~&" else char for char in text)


def html(found: Document) -> str:
    """One page: no script, no font, no picture and no address from outside."""
    title = escape(lines_of(found.title)[0])
    body = "\n".join(_html(found))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>copair: {title}</title>\n<style>{_CSS}</style></head>\n<body>\n"
        f"<header><h1>{title}</h1><p>copair with {escape(found.model) or 'no model'}; "
        f"{found.withheld} secrets withheld.</p></header>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _html(found: Document) -> Iterator[str]:
    for entry in found.entries:
        match entry:
            case Words(who=who, text=text):
                yield f'<p class="{escape(who)}">{escape(text)}</p>'
            case Saying(sign=sign, style=style, word=word, text=text):
                head = f'<span class="{escape(style)}">{escape(sign)} {escape(word)}</span>'
                yield f'<p class="quiet">{head} {escape(text)}</p>'
            case Shown(view=view):
                yield from _html_card(view)


def _html_card(view: CardView) -> Iterator[str]:
    counts = f'<span class="good">+{view.added}</span> <span class="bad">−{view.removed}</span>'
    yield f'<section class="card"><h2>{escape(view.title)} {counts}</h2><p>{_segments(view.why, "code")}</p><ul>'
    for special in view.specials:
        style = {Level.RISK: "bad", Level.WARN: "warn", Level.INFO: "dim"}[special.level]
        yield f'<li class="{style}">{escape(special.text)}</li>'
    yield from (f"<li>{escape(note)}</li>" for note in view.notes)
    for label, texts in (("assumes", view.assumes), ("risk", view.model_risks)):
        yield from (f'<li><span class="dim">{label}</span> {escape(text)}</li>' for text in texts)
    yield from (f"<li><b>{escape(piece.verdict)}</b> {escape(piece.text)}</li>" for piece in view.evidence)
    yield "</ul>"
    for file in view.files:
        yield from _html_file(file)
    yield "</section>"


def _html_file(file: FileView) -> Iterator[str]:
    yield f"<h3>{escape(file.path)}</h3>"
    yield from (f'<p class="dim">{_segments(because, "code")}</p>' for because in file.because)
    yield "<table>"
    for row in file.rows:
        numbers = f'<td class="n">{row.old_no or ""}</td><td class="n">{row.new_no or ""}</td>'
        if row.kind not in _SIGNS:
            numbers = '<td class="n"></td><td class="n"></td>'
        sign = _SIGNS.get(row.kind, "⋯" if row.kind is RowKind.HEAD else "")
        yield f'<tr class="{row.kind}">{numbers}<td class="n">{sign}</td><td>{_segments(row.segments, "b")}</td></tr>'
    yield "</table>"


def _segments(parts: tuple[Segment, ...], strong: str) -> str:
    found = []
    for part in parts:
        tag = "mark" if part.mark else (strong if part.strong else "")
        text = escape(part.text)
        found.append(f"<{tag}>{text}</{tag}>" if tag else text)
    return "".join(found)
