"""Does a driver keep what rambla.policy.ports.LastBundle promises?

A test class inherits `LastBundleSuite` and provides the fixture `last`, which has none yet.
"""

from rambla.policy.bundle import File
from rambla.policy.ports import LastBundle
from rambla.testing.bundle_store import bundle


class LastBundleSuite:
    def test_at_first_there_is_none(self, last: LastBundle) -> None:
        assert last.load() is None

    def test_the_last_that_was_saved_is_loaded_with_every_field(self, last: LastBundle) -> None:
        last.save(bundle(1))
        whole = bundle(2, "why: é \0 \U0001f600", File("b.yaml", "layer: site\r\n# ü \0"), File("a.yaml", ""))
        last.save(whole)
        assert last.load() == whole
