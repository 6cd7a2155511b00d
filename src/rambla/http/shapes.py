"""Which shapes do our answers have as OpenWhisk's JSON?

One type for each shape (core/entity/Whisk*.scala): `wire.py` fills them, the OpenAPI description is made from them, so
what is described is what is sent. A field that is UNSET is left out.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from rambla.domain.activation import Status
from rambla.domain.entities import RuleStatus


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Nothing but the stated fields."""


class KeyValue(Shape, frozen=True, kw_only=True):
    key: str
    value: Any
    init: bool | UnsetType = UNSET


class Name(Shape, frozen=True, kw_only=True):
    """`path` is `namespace` or `namespace/package`."""

    path: str
    name: str


class Entity(Shape, frozen=True, kw_only=True):
    """`updated` is in ms since the epoch."""

    namespace: str
    name: str
    version: str
    publish: bool
    updated: int
    annotations: list[KeyValue]


# --- actions ---


class Limits(Shape, frozen=True, kw_only=True):
    """`timeout` in ms, `memory` and `logs` in MiB."""

    timeout: int
    memory: int
    logs: int
    concurrency: int


class Exec(Shape, frozen=True, kw_only=True):
    kind: str
    binary: bool | UnsetType = UNSET
    code: str | UnsetType = UNSET
    main: str | UnsetType = UNSET
    image: str | UnsetType = UNSET
    components: list[str] | UnsetType = UNSET


class Action(Entity, frozen=True, kw_only=True):
    exec: Exec
    parameters: list[KeyValue]
    limits: Limits


class ExecSummary(Shape, frozen=True, kw_only=True):
    binary: bool


class ActionSummary(Entity, frozen=True, kw_only=True):
    exec: ExecSummary
    limits: Limits


# --- packages ---


class Binding(Shape, frozen=True, kw_only=True):
    """Empty if the package is none."""

    namespace: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


class Package(Entity, frozen=True, kw_only=True):
    parameters: list[KeyValue]
    binding: Binding


class Content(Shape, frozen=True, kw_only=True):
    name: str
    version: str
    annotations: list[KeyValue]


class PackageWithContents(Package, frozen=True, kw_only=True):
    """An action that has the annotation `feed` is a feed."""

    actions: list[Content]
    feeds: list[Content]


class PackageSummary(Entity, frozen=True, kw_only=True):
    """`binding` is false if the package is none."""

    binding: Binding | bool


# --- triggers and rules ---


class RuleOfTrigger(Shape, frozen=True, kw_only=True):
    action: Name
    status: RuleStatus


class TriggerSummary(Entity, frozen=True, kw_only=True):
    pass


class Trigger(Entity, frozen=True, kw_only=True):
    """`rules` by full name; left out if there are none. `limits` is always empty."""

    parameters: list[KeyValue]
    limits: dict[str, int] = {}
    rules: dict[str, RuleOfTrigger] | UnsetType = UNSET


class RuleSummary(Entity, frozen=True, kw_only=True):
    trigger: Name
    action: Name


class Rule(RuleSummary, frozen=True, kw_only=True):
    status: RuleStatus


# --- activations ---


class Activation(Shape, frozen=True, kw_only=True):
    """Times in ms since the epoch, `duration` in ms; a trigger's has no end."""

    namespace: str
    name: str
    version: str
    activation_id: str
    start: int
    annotations: list[KeyValue]
    publish: bool = False
    end: int | UnsetType = UNSET
    duration: int | UnsetType = UNSET
    cause: str | UnsetType = UNSET


class ActivationSummary(Activation, frozen=True, kw_only=True):
    status_code: Annotated[int, msgspec.Meta(ge=0, le=3)]


class Response(Shape, frozen=True, kw_only=True):
    """`result` is the JSON that the action gave, `size` its length in bytes."""

    status: Status
    success: bool
    result: msgspec.Raw
    size: int


class ActivationRecord(Activation, frozen=True, kw_only=True):
    subject: str
    response: Response
    logs: list[str]


class Logs(Shape, frozen=True, kw_only=True):
    logs: list[str]


class Accepted(Shape, frozen=True, kw_only=True):
    """What was asked for goes on under this id."""

    activation_id: str


# --- namespaces ---


class NamespaceLimits(Shape, frozen=True, kw_only=True):
    """Timeouts in ms, memory and logs in MiB. Without `allowedKinds` every kind is, and without `storeActivations` they
    are stored."""

    invocations_per_minute: int
    concurrent_invocations: int
    fires_per_minute: int
    allowed_kinds: list[str] | UnsetType = UNSET
    store_activations: bool | UnsetType = UNSET
    max_parameter_size: str
    min_action_timeout: int
    max_action_timeout: int
    min_action_memory: int
    max_action_memory: int
    min_action_logs: int
    max_action_logs: int
    min_action_concurrency: int
    max_action_concurrency: int


class NamespaceName(Shape, frozen=True, kw_only=True):
    """`created` is in ms since the epoch."""

    name: str
    created: int


class NewNamespace(NamespaceName, frozen=True, kw_only=True):
    """`key` is told to those who may ask for it."""

    key: str | UnsetType = UNSET


class NamespaceKey(Shape, frozen=True, kw_only=True):
    key: str


# --- the policy ---


class BundleSummary(Shape, frozen=True, kw_only=True):
    """`at` is in ms since the epoch, `hash` that of the files; `key` signed it."""

    number: int
    at: int
    author: str
    note: str
    hash: str
    key: str


class Bundle(BundleSummary, frozen=True, kw_only=True):
    """`files` by name."""

    files: dict[str, str]


class PolicyKey(Shape, frozen=True, kw_only=True):
    """`upto` is the last bundle that it may have signed, if there is one; `signs` says whether it is this node's."""

    key: str
    signs: bool
    upto: int | None


class Checked(Shape, frozen=True, kw_only=True):
    """`rule` decided, at that `line` of its `layer`, the file; `reason` says why somebody gave no answer."""

    allowed: bool
    rule: str
    layer: str
    line: int
    reason: str


class CheckedAlone(Checked, frozen=True, kw_only=True):
    """`bundle` is the number of the one that decided."""

    bundle: int


class Checks(Shape, frozen=True, kw_only=True):
    """In the order of the questions; one bundle decided all."""

    bundle: int
    decisions: list[Checked]


class Newest(msgspec.Struct, frozen=True, kw_only=True):
    """`signature`, hexadecimal as `key`, is over the JSON `["rambla policy newest 1", number, hash, at_ms]`."""

    number: int
    hash: str
    at_ms: int
    key: str
    signature: str


class SignedBundle(Newest, frozen=True, kw_only=True):
    """As it was published. `files` are names and texts by name; `signature` is over the JSON `["rambla policy bundle
    1", number, at_ms, author, note, hash, files]`, and `hash` is SHA-256 of the JSON `files`."""

    author: str
    note: str
    files: list[list[str]]


class FleetDaemon(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: current, behind, refused, failed or silent; of bundle `number`. `by` whom it was reported, last at
    `seen_ms` since the epoch."""

    host: str
    daemon: str
    service: str
    mode: str
    number: int
    state: str
    detail: str
    seen_ms: int
    by: str


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle` is the number of the one in force here."""

    bundle: int
    daemons: list[FleetDaemon]


class Difference(Shape, frozen=True, kw_only=True):
    """`was` and `now` name the rules that decide; `allowed` is what the other policy says. `times`, or once at `at`."""

    permission: str
    subject: str
    source: str
    roles: list[str]
    namespace: str
    was: str
    now: str
    allowed: bool
    times: int | UnsetType = UNSET
    at: int | UnsetType = UNSET


class Comparison(Shape, frozen=True, kw_only=True):
    """`uncounted` of the differences fit into no sum. Of `recent` ones the newest is last."""

    name: str
    since: int
    asked: int
    differing: int
    uncounted: int
    differences: list[Difference]
    recent: list[Difference]


class Failure(Shape, frozen=True, kw_only=True):
    """`code` is the request's id; `rule` is the one that refused, at that `line` of its `layer`."""

    error: str
    code: str
    rule: str | UnsetType = UNSET
    layer: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
