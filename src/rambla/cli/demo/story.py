"""What happens in the demo, step by step?

Containers, an action, a trigger with a source, a rule; then a picture goes up, and its thumbnail is waited for. All
names are overwritten, so it may be told again on the same data. What comes after: `report` shows the outcome.
"""

from importlib import resources
from typing import Any

import anyio
import msgspec

from rambla.cli import entities
from rambla.cli.activations import status_of
from rambla.cli.client import Client
from rambla.cli.demo.picture import Picture, check_thumbnail, inspect
from rambla.cli.demo.steps import Steps
from rambla.cli.demo.swift import Swift
from rambla.cli.errors import CliError
from rambla.cli.paths import collection_path, entity_path, platform_path
from rambla.cli.platform import rows_in

PHOTOS, THUMBNAILS = "photos", "thumbnails"
ACTION, TRIGGER, RULE = "resize", "photo-uploaded", "resize-uploads"
KIND = "python:3"
WIDTH = 400
MEMORY_MB = 256
WAIT_SECONDS = 60
LOOK_SECONDS = 0.05


class Outcome(msgspec.Struct, frozen=True):
    """What the story ended with; `activation` is the record of the run that made the thumbnail."""

    original: Picture
    thumbnail: Picture
    activation: dict[str, Any]


class ActionFailed(CliError):
    """The run that should have made the thumbnail did not; `activation` tells why."""

    def __init__(self, activation: dict[str, Any]) -> None:
        result = activation.get("response", {}).get("result", {})
        reason = result.get("error", result) if isinstance(result, dict) else result
        super().__init__(f"{ACTION} ended with {status_of(activation)}: {reason}")
        self.activation = activation


async def tell(client: Client, swift: Swift, original: Picture, steps: Steps) -> Outcome:
    """The whole story, from two empty containers to the thumbnail."""
    with steps.step(f"Create containers {PHOTOS} and {THUMBNAILS} in Swift"):
        await swift.create_container(PHOTOS)
        await swift.create_container(THUMBNAILS)
        await swift.delete(THUMBNAILS, original.name)
    with steps.step(f"Create action {ACTION} ({KIND}, {MEMORY_MB} MB, Pillow)"):
        await put(client, "actions", ACTION, action_body())
    with steps.step(f"Create trigger {TRIGGER}: an object arrives in {PHOTOS}"):
        await put(client, "triggers", TRIGGER, trigger_body())
    with steps.step(f"Create rule {RULE}: {TRIGGER} runs {ACTION}"):
        await put(client, "rules", RULE, {"trigger": f"/_/{TRIGGER}", "action": f"/_/{ACTION}"})
    before = {found["activationId"] for found in await runs(client)}
    with steps.step(f"Upload {original.name} ({len(original.content):,} bytes) through Swift's API"):
        await swift.put(PHOTOS, original.name, original.content)
    with steps.step(f"Wait for {THUMBNAILS}/{original.name}"):
        content = await wait_for_thumbnail(client, swift, original.name, before)
        thumbnail = inspect(original.name, content)
        check_thumbnail(original, thumbnail, WIDTH)
        activation = await wait_for_record(client, before)
    return Outcome(original, thumbnail, activation)


async def put(client: Client, collection: str, name: str, body: dict[str, Any]) -> None:
    await client.call("PUT", entity_path(collection, name), query={"overwrite": True}, body=body)


def action_body() -> dict[str, Any]:
    code = resources.files("rambla.cli.demo").joinpath("resize.py").read_text(encoding="utf-8")
    return {
        "exec": {"kind": KIND, "code": code},
        "limits": {"memory": MEMORY_MB, "timeout": 60_000},
        "parameters": [{"key": "width", "value": WIDTH}],
        "annotations": [{"key": "network", "value": "objects"}],
    }


def trigger_body() -> dict[str, Any]:
    source = {
        "type": "swift",
        "container": PHOTOS,
        "events": ["s3:ObjectCreated:*"],
        "prefix": "",
        "suffix": "",
        "target": THUMBNAILS,
    }
    return {"annotations": [{"key": "source", "value": source}]}


async def runs(client: Client) -> list[dict[str, Any]]:
    """Records of the action's latest runs, the newest first."""
    query = {"name": ACTION, "docs": True, "limit": 30}
    found: list[dict[str, Any]] = await client.call("GET", collection_path("activations"), query=query)
    return found


async def new_run(client: Client, before: set[str]) -> dict[str, Any] | None:
    """The record of a run that is not in `before`; ActionFailed if it failed."""
    for record in await runs(client):
        if record["activationId"] in before:
            continue
        if status_of(record) != "success":
            raise ActionFailed(record)
        return record
    return None


async def wait_for_thumbnail(client: Client, swift: Swift, name: str, before: set[str]) -> bytes:
    """The thumbnail, as soon as it is there. Raises as soon as it is known that none will come."""
    with anyio.move_on_after(WAIT_SECONDS):
        while True:
            if (content := await swift.get(THUMBNAILS, name)) is not None:
                return content
            await new_run(client, before)
            await anyio.sleep(LOOK_SECONDS)
    raise CliError(
        f"no thumbnail within {WAIT_SECONDS} s, and {ACTION} did not run: no event arrived. See: rambla status"
    )


async def wait_for_record(client: Client, before: set[str]) -> dict[str, Any]:
    """The record is written when the run has ended, a moment after the thumbnail is there."""
    with anyio.move_on_after(WAIT_SECONDS):
        while True:
            if (record := await new_run(client, before)) is not None:
                return record
            await anyio.sleep(LOOK_SECONDS)
    raise CliError(f"the thumbnail is there, but no activation of {ACTION} was recorded. See: rambla status")


async def audit_entries(client: Client, activation_id: str) -> list[dict[str, Any]]:
    """The newest entries, once this activation's is settled: the index follows the journal, a moment behind."""
    path = platform_path("namespaces", client.namespace, "audit")
    entries: list[dict[str, Any]] = []
    with anyio.move_on_after(WAIT_SECONDS):
        while not any(entry.get("activation_id") == activation_id and entry.get("status") for entry in entries):
            await anyio.sleep(LOOK_SECONDS)
            entries = rows_in(await client.call("GET", path, query={"limit": 50}))
    return entries


def annotations_of(activation: dict[str, Any]) -> dict[str, Any]:
    return entities.mapping(activation.get("annotations"))
