"""What does a decision cost an OpenStack daemon: by oslo.policy alone, by the check in it, and by asking over HTTP?

All through oslo.policy's own `enforce()` in one process, over the same requests, in interleaved rounds; each answer is
compared with oslo.policy's first. The platform that HttpCheck asks runs beside it. A ratio is the median of those
within a round, by the time that a caller waits.
"""

import json
import logging
import os
import statistics
import time
import urllib.request
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import candidates, mix
from rambla.policy.oslo.book import RuleDefault

COUNT, ASKED = 2000, 200
PLAIN, CHECK, ASK = "oslo.policy enforce()", "the check in enforce()", "HttpCheck in enforce()"
Rules = dict[str, list[RuleDefault]]
Work = tuple[Callable[[], list[bool]], int]


def run(rounds: int) -> None:
    if reason := mix.openstack.missing(mix.openstack.ALL):
        print(f"checks: {reason}")
        return
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    rules = mix.services()
    asked = mix.requests(rules, COUNT)
    with TemporaryDirectory(prefix="rambla-bench-") as name, candidates.rambla(Path(name)) as platform:
        folder = Path(name)
        _publish(folder, platform, rules)
        try:
            works = _works(folder, platform, rules, asked)
        except ImportError as error:
            print(f"checks: {error}. Fix: pip install -e '.[bench]'")
            return
        _agree(works)
        _measure(works, max(rounds, 5), platform.pid)


def _publish(folder: Path, platform: candidates.Running, rules: Rules) -> None:
    """What the platform has in force, and what an agent would have brought to this host."""
    token = (folder / "data" / "operator.token").read_text().strip()

    def ask(path: str, body: object = None) -> bytes:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        base = platform.url.partition("/api/")[0]
        with urllib.request.urlopen(urllib.request.Request(base + path, data, headers), timeout=60) as answer:
            return bytes(answer.read())

    files = {f"openstack/{service}/defaults.yaml": _defaults(defaults) for service, defaults in rules.items()}
    files["site.yaml"] = 'layer: site\nrules:\n  policy:check: [rule operator, caller.subject == "guest"]\n'
    number = json.loads(ask("/platform/v1/policy/bundles", {"files": files}))["number"]
    (folder / "bundle.json").write_bytes(ask(f"/policy/v1/bundles/{number}"))
    (folder / "newest.json").write_bytes(ask("/policy/v1/newest?known=0&wait_ms=0"))
    keys = " ".join(key["key"] for key in json.loads(ask("/platform/v1/policy/keys")))
    (folder / "policy.conf").write_text(f"[policy]\nfolder = {folder}\ntrusted_keys = {keys}\nmax_age_s = 86400\n")
    os.environ["RAMBLA_POLICY_CONF"] = str(folder / "policy.conf")


def _defaults(defaults: list[RuleDefault]) -> str:
    rules = [{"name": rule.name, "check_str": rule.check, "scope_types": list(rule.scopes)} for rule in defaults]
    return json.dumps(rules)


def _works(folder: Path, platform: candidates.Running, rules: Rules, asked: list[mix.Request]) -> dict[str, Work]:
    props = dict(line.split("=", 1) for line in (folder / "data" / "wskprops").read_text().split())
    address = platform.url.partition("/api/")[0].replace("http://", f"http://{props['AUTH']}@")
    files: dict[str, Callable[[str, str], str]] = {
        CHECK: lambda service, rule: f"rambla:{service}/{rule}",
        ASK: lambda service, _: f"{address}/policy/v1/openstack/{service}",
    }
    works = {PLAIN: _work(folder / "plain", rules, asked, None)}
    for name, check in files.items():
        works[name] = _work(folder / name, rules, asked[: ASKED if name == ASK else COUNT], check)
    return works


def _work(folder: Path, rules: Rules, asked: list[mix.Request], check: Callable[[str, str], str] | None) -> Work:
    """Enforcers with a policy file, as a daemon has them; without a `check` it overrides nothing."""
    folder.mkdir()
    enforcers = {}
    for service, defaults in rules.items():
        path = folder / f"{service}.yaml"
        path.write_text(json.dumps({rule.name: check(service, rule.name) for rule in defaults} if check else {}))
        enforcers[service] = _enforcer(service, path, defaults)
    ready = [(enforcers[each.service].enforce, each.rule, each.target, each.credentials) for each in asked]
    return lambda: [bool(enforce(rule, target, caller)) for enforce, rule, target, caller in ready], len(ready)


def _enforcer(service: str, path: Path, defaults: list[RuleDefault]) -> Any:
    from oslo_config import cfg
    from oslo_policy import policy

    conf = cfg.ConfigOpts()
    conf([], project=service, default_config_files=[], default_config_dirs=[])
    enforcer = policy.Enforcer(conf, policy_file=str(path))
    for rule in defaults:
        enforcer.register_default(policy.RuleDefault(rule.name, rule.check, scope_types=list(rule.scopes) or None))
    enforcer.load_rules()
    return enforcer


def _agree(works: dict[str, Work]) -> None:
    wanted = works[PLAIN][0]()
    print(f"{len(wanted)} requests, {sum(wanted)} allowed by {PLAIN}")
    for name, (work, count) in works.items():
        differences = sum(ours is not theirs for ours, theirs in zip(work(), wanted[:count], strict=True))
        print(f"  {name}: {count} asked, {differences} differences")


def _measure(works: dict[str, Work], rounds: int, platform: int) -> None:
    waited: dict[str, list[float]] = {name: [] for name in works}
    spent: dict[str, list[float]] = {name: [] for name in works}
    beside: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, (work, count) in works.items():
            started, own, theirs = time.perf_counter(), time.process_time(), _cpu_s(platform)
            work()
            waited[name].append((time.perf_counter() - started) / count * 1e6)
            spent[name].append((time.process_time() - own) / count * 1e6)
            beside[name].append((_cpu_s(platform) - theirs) / count * 1e6)
    print(f"{'':26}{'decisions/s':>12}{'waited us':>11}{'CPU us':>9}{'the platform us':>17}   to {PLAIN}")
    for name, times in waited.items():
        ratio = statistics.median(base / each for base, each in zip(waited[PLAIN], times, strict=True))
        middle, own, theirs = (statistics.median(values) for values in (times, spent[name], beside[name]))
        print(f"{name:26}{1e6 / middle:>12,.0f}{middle:>11,.1f}{own:>9,.1f}{theirs:>17,.0f}   {ratio:.2f}x")


def _cpu_s(pid: int) -> float:
    """Of a process and its threads, from /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
