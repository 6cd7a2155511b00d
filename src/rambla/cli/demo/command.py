"""`rambla demo`: does the main job work on this machine?

Starts a platform with a real Swift beside this process, tells the story, and shows what came of it. Exit code 0 only
if the thumbnail is a valid picture of the right size.
"""

import shutil
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rambla.cli.errors import CliError
from rambla.cli.options import FILE, start
from rambla.cli.paths import platform_path

if TYPE_CHECKING:
    from anyio.abc import Process

    from rambla.cli.client import Client
    from rambla.cli.demo.picture import Picture
    from rambla.cli.demo.steps import Steps

STEPS = 8


@click.command("demo")
@click.option("--image", type=FILE, help="Your own picture; else one is drawn.")
@click.option("--stay", is_flag=True, help="Leave the platform up until Ctrl-C.")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=Path("var/demo"), show_default=True,
    help="Where it keeps its data and the pictures.",
)  # fmt: skip
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:0", show_default=True, help="Port 0 takes a free one."
)
def demo(image: Path | None, stay: bool, data: Path, listen: str) -> None:
    """Upload a picture to a real Swift and get its thumbnail back."""
    start(lambda: play(image, stay, data, listen))


async def play(image: Path | None, stay: bool, data: Path, listen: str) -> None:
    from rambla.cli.demo import picture, server  # late: every other command can do without
    from rambla.cli.demo.steps import Steps

    say_missing()
    steps = Steps(STEPS)
    with steps.step(f"Read {image.name}" if image else "Draw a picture of 4000 x 3000 pixels"):
        original = picture.prepare(image)
    async with AsyncExitStack() as stack:
        with steps.step("Start Rambla with an embedded Swift"):
            arguments = server.command(data, listen, "--object-store", "swift")
            url, process = await stack.enter_async_context(server.running(arguments, data / "server.log"))
        await act(data, original, steps, stay=stay)
        if stay:
            await wait(url, process)


async def act(data: Path, original: "Picture", steps: "Steps", *, stay: bool) -> None:
    """The story and its report, on a server that is ready."""
    from rambla.cli import connection
    from rambla.cli.client import operator_client, user_client
    from rambla.cli.demo import report, story
    from rambla.cli.demo.swift import Swift

    since_ms = time.time_ns() // 1_000_000
    own = connection.find(None, None, data)
    async with operator_client(data) as operator, user_client(None, None, data) as client:
        status = await operator.call("GET", platform_path("status"))
        check_grants(status)
        user, secret = f"{own.namespace}:{own.namespace}", own.auth.partition(":")[2]
        async with await Swift.login(swift_url(status), user, secret) as swift:
            try:
                outcome = await story.tell(client, swift, original, steps)
            except story.ActionFailed as error:
                print_failure(error.activation)
                raise
        report.pictures(outcome, data)
        report.activation(outcome)
        await books(client, outcome.activation["activationId"], since_ms)
        report.isolation(status["isolation"])
        report.next_steps(data, stays=stay)
    click.echo(f"\nDone in {steps.seconds():.1f} s: the thumbnail is right.")


def swift_url(status: dict[str, Any]) -> str:
    """Where users reach the object store. CliError, with what its health says, if it has no address."""
    store = status["object_store"]
    if not store.get("url"):
        raise CliError(f"the platform has no object store to show: {store}")
    return str(store["url"])


def check_grants(status: dict[str, Any]) -> None:
    """CliError, with the fix, if actions cannot be given addresses here: the demo's lives on them."""
    parts = status["engine"]["parts"]
    if not parts["grants"].startswith("works"):
        raise CliError(f"no action can reach its picture: {parts['grants']}. {parts.get('namespaces', '')}")


async def books(client: "Client", activation_id: str, since_ms: int) -> None:
    """What the namespace's own books say: audit and usage."""
    from rambla.cli.demo import report, story

    report.audit(await story.audit_entries(client, activation_id), since_ms)
    report.usage(await client.call("GET", platform_path("namespaces", client.namespace, "usage")))


async def wait(url: str, process: "Process") -> None:
    click.echo(f"Rambla serves {url} until Ctrl-C.")
    await process.wait()


def say_missing() -> None:
    """What this host lacks that the demo can do without."""
    if not (shutil.which("node") or shutil.which("nodejs")):
        click.echo("Node.js is not installed: the demo does without, actions of kind nodejs:20 cannot run here")


def print_failure(activation: dict[str, object]) -> None:
    from rambla.cli.activations import print_activation

    click.echo()
    print_activation(activation, as_json=False)
