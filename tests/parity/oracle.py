"""What does the real oslo.policy say?

Runs in the environment that has OpenStack's packages, and imports nothing of ours. Reads one JSON object a line, writes
one a line: `{"rules": [SERVICE, ...]}` gives the rules these services register; `{"load": NAME, ...}` makes an Enforcer
of rules and files; `{"ask": NAME, "requests": [[rule, target, credentials], ...]}` gives a decision or the name of the
exception for each.
"""

import importlib.metadata
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from oslo_config import cfg  # noqa: E402  # warnings and logs first
from oslo_policy import policy  # noqa: E402

ENFORCERS = {}
FOLDER = tempfile.TemporaryDirectory()
LOADERS = {entry.name: entry for entry in importlib.metadata.entry_points(group="oslo.policy.policies")}


def rules_of(service):
    return [
        {
            "name": rule.name,
            "check": rule.check_str,
            "scopes": rule.scope_types or [],
            "operations": bool(getattr(rule, "operations", None)),
            "deprecated": rule.deprecated_rule
            and {"name": rule.deprecated_rule.name, "check": rule.deprecated_rule.check_str},
        }
        for rule in LOADERS[service].load()()
    ]


def load(name, defaults, files, new_defaults=True, content_type=""):
    folder = Path(FOLDER.name) / str(len(ENFORCERS))
    (folder / "policy.d").mkdir(parents=True)
    for file, text in files.items():
        (folder / file).write_text(text)
    conf = cfg.ConfigOpts()
    conf([], project="parity", default_config_files=[], default_config_dirs=[])
    enforcer = policy.Enforcer(conf, policy_file=str(folder / "policy.yaml"))
    conf.set_override("policy_dirs", [str(folder / "policy.d")], "oslo_policy")
    conf.set_override("enforce_new_defaults", new_defaults, "oslo_policy")
    if content_type:
        conf.set_override("remote_content_type", content_type, "oslo_policy")
    enforcer.suppress_deprecation_warnings = True
    for rule in defaults:
        old = rule.get("deprecated")
        deprecated = old and policy.DeprecatedRule(
            old["name"], old["check"], deprecated_reason="x", deprecated_since="x"
        )
        scopes = rule.get("scopes") or None
        enforcer.register_default(
            policy.RuleDefault(rule["name"], rule["check"], scope_types=scopes, deprecated_rule=deprecated)
        )
    ENFORCERS[name] = enforcer
    try:
        enforcer.load_rules()
    except Exception as error:
        return type(error).__name__
    return True


def ask(enforcer, rule, target, credentials):
    try:
        return bool(enforcer.enforce(rule, target, credentials))
    except Exception as error:
        return type(error).__name__


def answer(message):
    if "rules" in message:
        return {service: rules_of(service) for service in message["rules"]}
    if "load" in message:
        wanted = (message[name] for name in ("load", "defaults", "files", "new_defaults", "content_type"))
        return load(*wanted)
    enforcer = ENFORCERS[message["ask"]]
    return [ask(enforcer, *request) for request in message["requests"]]


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
