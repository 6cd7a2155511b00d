"""What do the endpoints give?

The last column of the table in `endpoints.py`: one sentence for a person, one type for a machine.
"""

from typing import Any

from rambla.flow import tend
from rambla.http import identity_shapes as people
from rambla.http import shapes
from rambla.http.endpoint import Gives

_PAGE = ("limit", "skip")
_LISTED = (*_PAGE, "count")
_COUNT = dict[str, int]
_ENTITY = ("overwrite",)

ABOUT = Gives("limits and runtimes", dict[str, Any])
PONG = Gives("pong")
VERSION = Gives("the version of the API", dict[str, Any])
DESCRIPTION = Gives("this description", dict[str, Any])
TO_PAGE = Gives("where this page is", status=308)
PAGE = Gives("this page, for people")

NAMESPACES = Gives("the caller's namespace, in a list", list[str])
LIMITS = Gives("what the namespace may use", shapes.NamespaceLimits)

ACTIONS = Gives("summaries, newest first", (list[shapes.ActionSummary], _COUNT), _LISTED)
CONTENTS = Gives("summaries of a package's actions", (list[shapes.ActionSummary], _COUNT), _LISTED)
ACTION = Gives("the action", shapes.Action, ("code",))
ACTION_WRITTEN = Gives("the action as written", shapes.Action, _ENTITY)
ACTION_DELETED = Gives("the action that was", shapes.Action)
INVOKED = Gives(
    "the activation, its result, or its id",
    Any,
    ("blocking", "result", "timeout"),
    also={202: shapes.Accepted, 502: Any},
)

PACKAGES = Gives("summaries, newest first", (list[shapes.PackageSummary], _COUNT), _LISTED)
PACKAGE = Gives("the package and what is in it", shapes.PackageWithContents)
PACKAGE_WRITTEN = Gives("the package as written", shapes.Package, _ENTITY)
PACKAGE_DELETED = Gives("the package that was", shapes.Package, ("force",))

TRIGGERS = Gives("summaries, newest first", (list[shapes.TriggerSummary], _COUNT), _LISTED)
TRIGGER = Gives("the trigger and its rules", shapes.Trigger)
TRIGGER_WRITTEN = Gives("the trigger as written", shapes.Trigger, _ENTITY)
TRIGGER_DELETED = Gives("the trigger that was", shapes.Trigger)
FIRED = Gives("the activation's id, if a rule is on", shapes.Accepted, status=202, also={204: None})

RULES = Gives("rules without status, newest first", (list[shapes.RuleSummary], _COUNT), _LISTED)
RULE = Gives("the rule and its status", shapes.Rule)
RULE_WRITTEN = Gives("the rule as written", shapes.Rule, _ENTITY)
RULE_DELETED = Gives("the rule that was", shapes.Rule)
RULE_SET = Gives("nothing")

ACTIVATIONS = Gives(
    "summaries or records",
    (list[shapes.ActivationSummary], list[shapes.ActivationRecord], _COUNT),
    (*_LISTED, "name", "since", "upto", "docs"),
)
ACTIVATION = Gives("the record", shapes.ActivationRecord)
LOGS = Gives("the lines it printed", shapes.Logs)
RESULT = Gives("how it ended", shapes.Response)

VISITED = Gives("what the web action answers, with a status of its own", also={202: shapes.Failure, 204: None})

STATUS = Gives("health of every part", dict[str, Any])
METRICS = Gives("the status as metrics, in Prometheus's format")
TENDED = Gives("names", list[shapes.NamespaceName])
CREATED = Gives("the namespace and its key", shapes.NewNamespace)
DELETED = Gives("nothing", status=204)
KEY = Gives("the key", shapes.NamespaceKey)
NEW_KEY = Gives("a new key; the old one opens nothing", shapes.NamespaceKey)
AUDIT = Gives("who did what, newest first", list[tend.AuditEntry], ("since", "limit"))
USAGE = Gives("sums by action and hour", list[tend.UsageRow], ("since",))

PUBLISHED = Gives("the bundle that is now in force, or would be", shapes.BundleSummary)
BUNDLES = Gives("what was published, newest first", list[shapes.BundleSummary], _PAGE)
BUNDLE = Gives("the bundle and its files", shapes.Bundle)
ROLLED_BACK = Gives("the new bundle with the files of the old one", shapes.BundleSummary, ("force",))
POLICY_KEYS = Gives("the keys that are trusted, the one that signs last", list[shapes.PolicyKey])
CHECKED = Gives("the decision, and which rule decided", shapes.CheckedAlone)
CHECKS = Gives("the decisions, all by one bundle", shapes.Checks)
HTTP_CHECKED = Gives("True or False")
NEWEST = Gives("which bundle is in force, at once or when it changes", shapes.Newest, ("known", "wait_ms"))
SIGNED_BUNDLE = Gives("the bundle as it was signed", shapes.SignedBundle)
REPORTED = Gives("nothing", status=204)
FLEET = Gives("the daemons of all hosts, and how they stand", shapes.Fleet)
COMPARED = Gives("what another policy decides otherwise", shapes.Comparison)

SOURCES = Gives("whom one may ask to be known, in their order", list[people.Source])
LOGGED_IN = Gives("a session", people.Session)
LOGGED_OUT = Gives("nothing; the session is over", status=204)
WHOAMI = Gives("who the caller is", people.Whoami)
TOKENS = Gives("the caller's tokens and sessions, newest first", list[people.Token])
ALL_TOKENS = Gives("everybody's, newest first", list[people.Token], _PAGE)
TOKEN = Gives("the token, which is told once", people.NewToken)
ACCOUNTS = Gives("accounts of whom something was said, by name", list[people.Account], _PAGE)
ACCOUNT = Gives("what is said of the account now", people.Account)
USERS = Gives("local users, by name", list[people.User], _PAGE)
USER = Gives("the user as they are now", people.User)
SECOND_FACTOR = Gives("a second factor, which is told once", people.SecondFactor)
