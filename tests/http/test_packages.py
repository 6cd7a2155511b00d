import httpx
import pytest

pytestmark = pytest.mark.anyio
ECHO = {"exec": {"kind": "python:3", "code": "echo"}}


async def test_a_new_package_is_returned_whole(guest: httpx.AsyncClient) -> None:
    answer = await guest.put("packages/p", json={"name": "p", "version": "0.0.1", "publish": False})
    assert answer.json() == {
        "namespace": "guest",
        "name": "p",
        "version": "0.0.1",
        "publish": False,
        "updated": 1_700_000_000_000,
        "annotations": [],
        "parameters": [],
        "binding": {},
    }


async def test_a_package_shows_its_actions_and_feeds(guest: httpx.AsyncClient) -> None:
    await guest.put("packages/p", json={})
    await guest.put("actions/p/a", json=ECHO)
    await guest.put("actions/p/f", json=ECHO | {"annotations": [{"key": "feed", "value": True}]})
    got = (await guest.get("packages/p")).json()
    assert [one["name"] for one in got["actions"]] == ["a"]
    assert [one["name"] for one in got["feeds"]] == ["f"]
    assert set(got["actions"][0]) == {"name", "version", "annotations"}


async def test_a_package_that_is_not_there_is_named_on_get(guest: httpx.AsyncClient) -> None:
    named = "The requested resource 'guest/p' does not exist."
    for answer, text in (
        (await guest.get("packages/p"), named),
        (await guest.delete("packages/p"), "The requested resource does not exist."),
    ):
        assert (answer.status_code, answer.json()["error"]) == (404, text)


async def test_annotations_of_a_package_are_replaced_on_update(guest: httpx.AsyncClient) -> None:
    await guest.put("packages/p", json={"annotations": [{"key": "a", "value": 1}]})
    change = {"annotations": [{"key": "b", "value": {"any": ["json"]}}]}
    updated = (await guest.put("packages/p?overwrite=true", json=change)).json()
    assert updated["annotations"] == change["annotations"]
    assert updated["version"] == "0.0.2"


async def test_a_package_with_contents_is_deleted_only_by_force(guest: httpx.AsyncClient) -> None:
    await guest.put("packages/p", json={})
    for name, contents in (("a", "1 entity"), ("b", "2 entities")):
        await guest.put(f"actions/p/{name}", json=ECHO)
        answer = await guest.delete("packages/p")
        assert answer.status_code == 409
        expected = f"Package not empty (contains {contents}). Set force param or delete package contents."
        assert answer.json()["error"] == expected
    assert (await guest.delete("packages/p?force=true")).status_code == 200
    assert (await guest.get("actions?count=true")).json() == {"actions": 0}


async def test_default_is_reserved(guest: httpx.AsyncClient) -> None:
    answer = await guest.put("packages/default", json={})
    assert (answer.status_code, answer.json()["error"]) == (400, "Package name 'default' is reserved.")


async def test_a_list_says_that_packages_are_no_bindings(guest: httpx.AsyncClient) -> None:
    await guest.put("packages/p", json={"parameters": [{"key": "secret", "value": 1}]})
    listed = (await guest.get("packages?public=true")).json()
    assert [(one["name"], one["binding"]) for one in listed] == [("p", False)]
    assert "parameters" not in listed[0]


async def test_others_see_published_packages_only(
    guest: httpx.AsyncClient, web: httpx.AsyncClient, other_key: str
) -> None:
    await guest.put("packages/private", json={})
    await guest.put("packages/shared", json={"publish": True})
    headers = {"Authorization": other_key}
    path = "/api/v1/namespaces/guest/packages"
    listed = (await web.get(path, headers=headers)).json()
    assert [one["name"] for one in listed] == ["shared"]
    assert (await web.get(f"{path}?count=true", headers=headers)).json() == {"packages": 1}
    assert (await web.get("/api/v1/namespaces/nobody/packages", headers=headers)).json() == []


async def test_a_package_cannot_be_invoked(guest: httpx.AsyncClient) -> None:
    answer = await guest.post("packages/p", json={})
    assert answer.status_code == 405
    assert answer.json()["error"] == "HTTP method not allowed, supported methods: GET, PUT, DELETE"
    assert answer.headers["allow"] == "GET, PUT, DELETE"
