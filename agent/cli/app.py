"""The commands and their help. Each is a few lines: it opens what it needs and hands over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent import __version__
from agent.core.errors import Exit

app = typer.Typer(
    name="copair",
    help="Pair programming with a language model in the terminal, in chunks that a person can keep in their head. "
    '`copair` alone opens the prompt; `copair "fix the failing test"` starts with that sentence.',
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Model = Annotated[
    str | None, typer.Option("--model", "-m", help="anthropic/…, openai/…, ollama/…, local, or an address.")
]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="Address of a Chat Completions server.")]
ProtocolName = Annotated[
    str | None, typer.Option("--protocol", help="How the model proposes: tools or text.")
]
Plain = Annotated[
    bool, typer.Option("--plain", help="No boxes, no redraw: for screen readers and dumb terminals.")
]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="The session for a program: one JSON event per line.")]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", min=1, help="Stop and ask after so many tokens.")
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", min=0.0, help="Stop and ask after so many US dollars.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def main(arguments: list[str]) -> int:
    """Run one command. Returns the exit code; errors of ours are raised."""
    try:
        app(args=arguments, prog_name="copair")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(Exit.DONE)
    return int(Exit.DONE)


def _end(code: int) -> None:
    raise typer.Exit(code)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"copair {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Pair programming with a language model in the terminal, in chunks that a person can keep in their head."""


@app.command()
def chat(
    sentence: Annotated[
        list[str] | None, typer.Argument(help="What you want; asked for when left out.")
    ] = None,
    model: Model = None,
    base_url: BaseUrl = None,
    protocol: ProtocolName = None,
    plain: Plain = False,
    jsonl: Jsonl = False,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
) -> None:
    """Open the prompt in this repository (the default: `copair SENTENCE` does the same)."""
    from agent.cli.session import run_session
    from agent.cli.wanted import Wanted, model_flags

    flags = model_flags(model, base_url, protocol)
    _end(
        run_session(
            Wanted(
                " ".join(sentence or ()),
                flags=flags,
                plain=plain,
                jsonl=jsonl,
                max_tokens=max_tokens,
                max_cost=max_cost,
            )
        )
    )


@app.command()
def tour(plain: Plain = False, jsonl: Jsonl = False) -> None:
    """Three minutes on a throw-away repository, with a script in the model's place. Leaves nothing behind."""
    from agent.cli.session import run_tour
    from agent.cli.wanted import Wanted

    _end(run_tour(Wanted(plain=plain, jsonl=jsonl)))


@app.command()
def resume(
    session: Annotated[
        str, typer.Argument(help="Which session, as `copair log` names it; the latest when left out.")
    ] = "",
    choose: Annotated[bool, typer.Option("--list", "-l", help="Choose from a list.")] = False,
    model: Model = None,
    base_url: BaseUrl = None,
    protocol: ProtocolName = None,
    plain: Plain = False,
    jsonl: Jsonl = False,
) -> None:
    """Go on with an earlier session of this repository."""
    from agent.cli.session import run_session
    from agent.cli.sessions import pick_session
    from agent.cli.wanted import Wanted, model_flags

    chosen = pick_session(Path.cwd(), session, choose=choose)
    _end(
        run_session(
            Wanted(resume=chosen, flags=model_flags(model, base_url, protocol), plain=plain, jsonl=jsonl)
        )
    )


@app.command()
def log(
    session: Annotated[
        str, typer.Argument(help="One session with its chunks; all sessions when left out.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Sessions of this repository, and their chunks with what was decided."""
    from agent.cli.sessions import print_log

    _end(print_log(Path.cwd(), session, as_json=json))


@app.command()
def show(
    chunk: Annotated[str, typer.Argument(help="CHUNK of the latest session, or SESSION:CHUNK.")],
    json: AsJson = False,
) -> None:
    """One chunk: why, evidence, decision, and the exact diff."""
    from agent.cli.sessions import print_chunk

    _end(print_chunk(Path.cwd(), chunk, as_json=json))


@app.command()
def undo(
    chunk: Annotated[
        str, typer.Argument(help="CHUNK or SESSION:CHUNK; the latest applied one when left out.")
    ] = "",
    redo: Annotated[bool, typer.Option("--redo", help="Apply an undone chunk again.")] = False,
) -> None:
    """Take back an applied chunk, exactly or not at all; also after restarts and your own commits."""
    from agent.cli.signals import as_interrupts
    from agent.cli.undo import undo_chunk

    with as_interrupts():
        _end(undo_chunk(Path.cwd(), chunk, redo=redo))


@app.command()
def review(
    source: Annotated[
        str | None,
        typer.Argument(help="REV, A..B, a patch FILE, or - ; your uncommitted changes when left out."),
    ] = None,
    only: Annotated[
        list[Path] | None,
        typer.Option("--only", help="Only files at or below this PATH; may be given several times."),
    ] = None,
    onto: Annotated[
        str, typer.Option("--onto", help="worktree (default) or index: stage instead of writing files.")
    ] = "",
    json: Annotated[
        bool, typer.Option("--json", help="Print the chunks as one JSON document and change nothing.")
    ] = False,
    decide: Annotated[
        str | None,
        typer.Option(
            "--decide", help="FILE or - with one JSON decision a line: apply exactly the approved ones."
        ),
    ] = None,
    model: Model = None,
    base_url: BaseUrl = None,
    protocol: ProtocolName = None,
    plain: Plain = False,
    jsonl: Jsonl = False,
) -> None:
    """Walk through any diff chunk by chunk: a commit, a range, a patch, or your own uncommitted changes."""
    from agent.cli.review import review as walk
    from agent.cli.wanted import Wanted, model_flags

    wanted = Wanted(flags=model_flags(model, base_url, protocol), plain=plain, jsonl=jsonl)
    below = [str(path) for path in only or ()]
    _end(walk(Path.cwd(), source, wanted, only=below, onto=onto, as_json=json, decide=decide))


@app.command()
def commit(
    chunks: Annotated[
        list[str] | None, typer.Argument(help="Chunks to commit; all that wait when left out.")
    ] = None,
    session: Annotated[
        str, typer.Option("--session", help="Of this session; the latest with waiting chunks.")
    ] = "",
    each: Annotated[bool, typer.Option("--each", help="One commit per chunk.")] = False,
    edit: Annotated[bool, typer.Option("--edit", "-e", help="Edit the message first.")] = False,
    message: Annotated[
        str, typer.Option("--message", help="The message; made from titles and whys when left out.")
    ] = "",
) -> None:
    """Commit exactly the approved chunks; your other changes stay as they are. Your hooks and signing apply."""
    from agent.cli.commit import commit_session
    from agent.cli.signals import as_interrupts

    with as_interrupts():
        _end(commit_session(Path.cwd(), chunks or [], session=session, each=each, edit=edit, message=message))


@app.command()
def checks(
    remove: Annotated[list[str] | None, typer.Option("--remove", help="Forget an accepted check.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept every suggestion without asking.")] = False,
) -> None:
    """The checks that may run on chunks: shows what this repository suggests and asks for each."""
    from agent.cli.checks import manage_checks

    _end(manage_checks(Path.cwd(), remove=remove or (), yes=yes))


@app.command()
def connect(
    model: Annotated[str, typer.Argument(help="Try this one; look around when left out.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
) -> None:
    """Find a model: your keys, servers on this machine; try it and remember it."""
    from agent.cli.models import connect_model

    _end(connect_model(model, write=not dry_run))


@app.command()
def doctor(model: Model = None, base_url: BaseUrl = None, protocol: ProtocolName = None) -> None:
    """Which model would be used and why; keys are masked."""
    from agent.cli.models import print_doctor
    from agent.cli.wanted import model_flags

    _end(print_doctor(model_flags(model, base_url, protocol)))


@app.command("check-model")
def check_model(
    model: Model = None,
    base_url: BaseUrl = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
) -> None:
    """Two minutes of small known tasks: how well the model proposes, and in which way it does best."""
    from agent.cli.models import print_check
    from agent.cli.wanted import model_flags

    _end(print_check(model_flags(model, base_url, None), write=not dry_run))


@app.command()
def export(
    session: Annotated[str, typer.Argument(help="Which session; the latest when left out.")] = "",
    html: Annotated[
        bool, typer.Option("--html", help="One self-contained page instead of Markdown.")
    ] = False,
    output: Annotated[
        str, typer.Option("--output", "-o", help="A new file; standard output when left out.")
    ] = "",
) -> None:
    """A session with its cards for showing to others; secrets are withheld and counted."""
    from agent.cli.export import export_session

    _end(export_session(Path.cwd(), session, as_html=html, to=output))
