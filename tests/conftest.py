"""What every test shares: coroutine tests run on asyncio."""

import pytest
from hypothesis import settings

# A slow machine is no reason for a test to fail.
settings.register_profile("rambla", deadline=None)
settings.load_profile("rambla")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
