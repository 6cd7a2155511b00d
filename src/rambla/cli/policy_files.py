"""What does a policy mean, before anybody publishes it?

Everything here works on files, without a platform; where a bundle's number is given instead, it is asked for. What is
loaded for it is loaded late, as all other commands can do without.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from rambla.cli import show
from rambla.cli.options import data_option, json_option, stack
from rambla.cli.policy import SOURCES, Problems, print_comparison

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_POLICY: Callable[..., Any] = click.option(
    "--policy", "-f", "source", metavar="DIR|FILE|NUMBER", help="Which policy; the one in force if left out."
)
_SERVICE: Callable[..., Any] = click.option(
    "--service",
    default="",
    metavar="SERVICE",
    help="Of this OpenStack service's rules: PERSON is a user's id, TARGET a project's.",
)
_CALLER = (
    click.option("--role", "-r", "roles", multiple=True, help="A role that the person holds."),
    click.option("--caller", "-c", nargs=2, multiple=True, metavar="NAME VALUE", help="What else is known of them."),
)
_TARGET: Callable[..., Any] = click.option(
    "--target", "-t", "about", nargs=2, multiple=True, metavar="NAME VALUE", help="What else is known of it."
)


@click.command("explain")
@click.argument("person")
@click.argument("permission", metavar="ACTION")
@click.argument("target")
@stack((_POLICY, _SERVICE, *_CALLER, _TARGET, data_option, json_option))
def explain(person: str, permission: str, target: str, **options: Any) -> None:
    """Say why PERSON may or may not do ACTION to TARGET, NAMESPACE/NAME: which clauses were asked, in which layer, on
    which line. Names from `people` and `targets` of the tests beside the policy are known."""
    from rambla.cli import policy_sources as sources  # late, as all below
    from rambla.cli import policy_told as told
    from rambla.policy.analysis import words
    from rambla.policy.analysis.explain import explain as explained
    from rambla.policy.credentials import prepare

    caller, about = sources.caller_for(person, **options), sources.target_for(target, **options)
    found = explained(sources.policy_for(**options), prepare(caller), permission, about)
    if options["as_json"]:
        show.print_json(told.explanation_as_json(found))
    else:
        click.echo(show.clean(words.explanation(found)))


@click.command("who-can")
@click.argument("permission", metavar="ACTION")
@click.argument("target")
@stack((_POLICY, _SERVICE, _TARGET, data_option, json_option))
def who_can(permission: str, target: str, **options: Any) -> None:
    """Say who may do ACTION to TARGET: every case there is, not a list of people."""
    from rambla.cli import policy_sources as sources
    from rambla.cli import policy_told as told
    from rambla.policy.analysis import queries

    book = sources.policy_for(**options).book
    answer = queries.who_can(book, permission, sources.target_for(target, **options))
    if options["as_json"]:
        show.print_json(told.answers_as_json([answer])[0])
    else:
        click.echo(show.clean("\n".join(told.answer_lines(answer))))


@click.command("what-can")
@click.argument("person")
@stack((_POLICY, _SERVICE, *_CALLER, data_option, json_option))
def what_can(person: str, **options: Any) -> None:
    """Say what PERSON may do, and to which targets."""
    from rambla.cli import policy_sources as sources
    from rambla.cli import policy_told as told
    from rambla.policy.analysis import queries
    from rambla.policy.credentials import prepare

    book, service = sources.policy_for(**options).book, options["service"]
    caller = prepare(sources.caller_for(person, **options))
    found = queries.what_can(book, caller, sources.more_permissions(service))
    answers = [one for one in found if sources.is_asked(one.permission, service)]
    if options["as_json"]:
        show.print_json(told.answers_as_json(answers))
        return
    rows = [
        (one.permission, "any target" if one.always else line) for one in answers for line in told.answer_lines(one)
    ]
    show.print_table(("may", "if"), rows, empty="nothing")


@click.command("test")
@click.argument("folder", metavar="[DIR]", type=FOLDER, default=".")
@json_option
def test(folder: Path, as_json: bool) -> None:
    """Hold the policy in DIR against the tables in DIR/tests. Exits with 1 if one is not as they say."""
    from rambla.cli import policy_sources as sources
    from rambla.policy import tables

    rows = sources.table_in(folder).rows
    failed = tables.failures(sources.policy_in([folder]), rows)
    if as_json:
        show.print_json({"tests": len(rows), "failed": [str(one) for one in failed]})
        click.get_current_context().exit(int(bool(failed)))
    if failed:
        raise Problems([f"{len(failed)} of {len(rows)} tests failed", *map(str, failed)])
    click.echo(f"{len(rows)} tests passed")


@click.command("lint")
@click.argument("paths", nargs=-1, required=True, type=SOURCES, metavar="DIR|FILES...")
@json_option
def lint(paths: tuple[Path, ...], as_json: bool) -> None:
    """Tell what is wrong with a policy, what in it can never decide anything, and which permissions nobody asks for.
    Exits with 1 if there is anything to tell."""
    from rambla.cli import policy_sources as sources
    from rambla.policy.analysis.idle import idle

    read = sources.policy_in(paths)
    ours = [one for one in idle(read.book) if one.layer != "defaults"]
    found = [f"{one.layer}, line {one.line}: '{one.rule}' never decides, as others decide before it" for one in ours]
    found += [f"no endpoint asks for '{name}': {fix}" for name, fix in sources.unasked(read)]
    if as_json:
        show.print_json(found)
        click.get_current_context().exit(int(bool(found)))
    if found:
        raise Problems(found)
    click.echo("nothing to tell")


@click.command("coverage")
@click.argument("folder", metavar="[DIR]", type=FOLDER, default=".")
@click.option("--min", "least", type=click.IntRange(0, 100), default=0, help="Exit with 1 below this percentage.")
@json_option
def coverage(folder: Path, least: int, as_json: bool) -> None:
    """Tell which lines of the policy in DIR decided in none of its tests."""
    from rambla.cli import policy_sources as sources
    from rambla.policy.analysis.explain import coverage as covered
    from rambla.policy.credentials import prepare

    requests = [(prepare(row.caller), row.permission, row.about) for row in sources.table_in(folder).rows]
    times: dict[tuple[str, int, str], int] = {}
    for one in covered(sources.policy_in([folder]), requests):
        if one.decision.layer != "defaults" and one.decision.line:
            place = (one.decision.layer, one.decision.line, one.decision.rule)
            times[place] = times.get(place, 0) + one.times
    percent = 100 * sum(map(bool, times.values())) // len(times) if times else 100
    never = [place for place, count in sorted(times.items()) if not count]
    if as_json:
        show.print_json({"percent": percent, "never": [f"{layer}:{line} {rule}" for layer, line, rule in never]})
    else:
        show.print_table(("layer", "line", "never decided"), never, empty="every line decided")
        click.echo(f"{percent} % of {len(times)}")
    click.get_current_context().exit(int(percent < least))


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--journal", "days", type=click.IntRange(1, 366), metavar="DAYS", help="The calls of the last DAYS days instead."
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything changes.")
@stack((_SERVICE, data_option, json_option))
def diff(old: str, new: str, days: int | None, exit_code: bool, as_json: bool, **options: Any) -> None:
    """Tell every decision that changes from OLD to NEW, each with an example; both are folders, files or numbers of
    bundles, 0 for the platform's own rules alone. With --journal: which calls NEW decides otherwise than they were."""
    import anyio

    from rambla.cli import policy_sources as sources
    from rambla.cli import policy_told as told
    from rambla.policy.analysis.difference import diff as differences

    if days:
        found = anyio.run(sources.replayed, new, days, options["data"])
        print_comparison(found, as_json)
        click.get_current_context().exit(int(exit_code and bool(found["differing"])))
    before, after = (sources.policy_for(source=one, **options).book for one in (old, new))
    told_of = differences(before, after, sources.more_permissions(options["service"]))
    changes = [one for one in told_of if sources.is_asked(one.permission, options["service"])]
    if as_json:
        show.print_json(told.changes_as_json(changes))
    else:
        lines = [line for change in changes for line in told.change_lines(change)]
        click.echo(show.clean("\n".join(lines)) or "no decision changes")
    click.get_current_context().exit(int(exit_code and bool(changes)))


@click.command("convert")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--strict", is_flag=True, help="Refuse what oslo.policy takes silently; take two nulls for different.")
def convert(files: tuple[Path, ...], strict: bool) -> None:
    """Write policy files of an OpenStack service, policy.yaml first, as a layer that people can read."""
    from rambla.cli import policy_sources as sources
    from rambla.policy.convert import convert as converted
    from rambla.policy.oslo.load import load

    with sources.problems_told():
        texts = {file.name: file.read_text(encoding="utf-8") for file in files}
        click.echo(converted(load(texts, mode="strict" if strict else "compat")), nl=False)


@click.command("schema")
def schema() -> None:
    """Print the JSON Schema of a layer, for editors."""
    from rambla.policy.language.schema import SCHEMA

    show.print_json(SCHEMA)


COMMANDS = (explain, who_can, what_can, test, lint, coverage, diff, convert, schema)
