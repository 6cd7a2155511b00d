"""A host that the platform's policy comes to: what the platform signs, as its own code does, and the package installed
beside a daemon's."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from rambla.drivers.ed25519.signer import FileSigner
from rambla.policy.bundle import Bundle, File, hash_of, payload
from rambla.policy.oslo.book import RuleDefault

ROOT = Path(__file__).parent.parent
DAY_MS = 86_400_000


class Publisher:
    """Signs as the platform does. `folder` has its key."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.signer = FileSigner(folder)

    @property
    def key(self) -> str:
        return list(self.signer.keys())[-1]

    def bundle(self, number: int, files: Mapping[str, str], at_ms: int = 0) -> bytes:
        """As GET /policy/v1/bundles/N answers."""
        made = tuple(File(name, files[name]) for name in sorted(files))
        named = Bundle(number=number, at_ms=at_ms, author="me", note="why", hash=hash_of(made), files=made)
        key, signature = self.signer.sign(payload(named))
        document = {name: getattr(named, name) for name in ("number", "at_ms", "author", "note", "hash")}
        signed = {"key": key, "signature": signature.hex(), "files": [[file.name, file.text] for file in made]}
        return msgspec.json.encode({**document, **signed})

    def statement(self, bundle: bytes, at_ms: int) -> bytes:
        """As GET /policy/v1/newest answers while this bundle is in force."""
        named = json.loads(bundle)
        return self.newest(named["number"], named["hash"], at_ms)

    def newest(self, number: int, hash_: str, at_ms: int) -> bytes:
        key, signature = self.signer.sign(msgspec.json.encode(["rambla policy newest 1", number, hash_, at_ms]))
        document = {"number": number, "hash": hash_, "at_ms": at_ms, "key": key, "signature": signature.hex()}
        return msgspec.json.encode(document)


def policy_conf(path: Path, folder: Path, *keys: str, max_age_s: float = 0, reload_s: float = 0) -> Path:
    text = f"[policy]\nfolder = {folder}\ntrusted_keys = {' '.join(keys)}\nmax_age_s = {max_age_s}\n"
    path.write_text(f"{text}reload_s = {reload_s}\n")
    return path


def defaults_text(defaults: list[RuleDefault]) -> str:
    """As `python -m rambla_openstack.defaults` prints it; JSON is YAML."""
    rules = []
    for default in defaults:
        rule = {"name": default.name, "check_str": default.check, "scope_types": list(default.scopes)}
        if default.deprecated:
            rule["deprecated"] = {"name": default.deprecated.name, "check_str": default.deprecated.check}
        rules.append(rule)
    return json.dumps(rules, indent=1)


def installed(folder: Path) -> str:
    """A PYTHONPATH on which the package and its entry points are found, as pip would install them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    made = folder / f"rambla-{project['version']}.dist-info"
    made.mkdir(parents=True)
    (made / "METADATA").write_text(f"Metadata-Version: 2.1\nName: rambla\nVersion: {project['version']}\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, where in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (made / "entry_points.txt").write_text("\n".join(groups))
    return f"{ROOT / 'src'}:{folder}"
