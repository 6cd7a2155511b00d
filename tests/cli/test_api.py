"""What `rambla api` sends, refuses without asking, and shows."""

import json
from pathlib import Path
from typing import Any

import pytest

from rambla.cli import api
from rambla.cli.errors import CliError

VALUE = {
    "gwApiUrl": "http://gw/api/id/base/",
    "apidoc": {
        "info": {"title": "Books"},
        "paths": {
            "/a": {
                "get": {"x-openwhisk": {"namespace": "guest", "package": "", "action": "a"}},
                "parameters": [],
                "put": {},
            },
            "/b/{id}": {"post": {"x-openwhisk": {"namespace": "guest", "package": "p", "action": "b"}}},
        },
    },
}


def test_an_operation_is_sent_as_wsk_sends_it() -> None:
    body = api.body_of(("/base", "/b/{id}/{id}/{x}", "GET"), "/ns/p/a", "Books", "http://host")
    assert body["pathParameters"] == [
        {
            "name": name,
            "in": "path",
            "required": True,
            "type": "string",
            "description": f"Default description for '{name}'",
        }
        for name in ("id", "x")
    ]
    assert body["action"] == {
        "name": "p/a",
        "namespace": "ns",
        "backendMethod": "GET",
        "backendUrl": "http://host/api/v1/web/ns/p/a.http",
        "authkey": "unused",
    }
    assert (body["gatewayBasePath"], body["gatewayMethod"], body["apiName"]) == ("/base", "GET", "Books")
    short = api.body_of(("/", "/a", "GET"), "a", None, "http://host")
    assert short["action"]["backendUrl"] == "http://host/api/v1/web/_/default/a.http"
    assert not {"apiName", "pathParameters"} & short.keys()


def test_a_route_is_written_with_or_without_its_base_path() -> None:
    assert api.checked_route(("/p", "get", "a"), "json") == ("/", "/p", "GET", "a")
    assert api.checked_route(("/b", "/p/{x}", "Post", "a"), "http") == ("/b", "/p/{x}", "POST", "a")
    assert api.checked_route(("My API", "/p", "GET", "a"), "json")[0] == "My API"
    assert api.checked_place(()) == ("", "", "")
    assert api.checked_place(("/b", "/p", "put")) == ("/b", "/p", "PUT")


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (("/b", "p", "GET", "a"), "'p' must begin with '/'."),
        (("/b", "/p", "GOT", "a"), "'GOT' is not a valid API verb."),
        (("/{b}", "/p", "GET", "a"), "The base path '/{b}' cannot have parameters."),
        (("/b", "/{p}", "GET", "a"), "A response type of 'http' is required when using path parameters."),
        (("/b", "/p"), "write [BASE_PATH] API_PATH VERB ACTION"),
        (("/b", "/p", "GET", "a", "x"), "write [BASE_PATH] API_PATH VERB ACTION"),
    ],
)
def test_what_could_not_be_published_is_refused_without_asking(route: tuple[str, ...], text: str) -> None:
    with pytest.raises(CliError) as error:
        api.checked_route(route, "json")
    assert str(error.value.message).startswith(text)


def test_each_operation_is_a_row() -> None:
    assert list(api.rows_of(VALUE)) == [
        ("/guest/a", "GET", "/a", "Books", "http://gw/api/id/base/a"),
        ("", "PUT", "/a", "Books", "http://gw/api/id/base/a"),
        ("/guest/p/b", "POST", "/b/{id}", "Books", "http://gw/api/id/base/b/{id}"),
    ]


@pytest.mark.parametrize("name", ["a.yaml", "a.YML", "a.json"])
def test_a_document_is_json_or_yaml(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    given: dict[str, Any] = {"swagger": "2.0", "basePath": "/b"}
    file.write_text(json.dumps(given) if name.endswith("json") else "swagger: '2.0'\nbasePath: /b\n")
    assert json.loads(api.text_of(file)) == given


@pytest.mark.parametrize("text", ["a: [", "a: &a [*a]", "!!python/object:os.system x", "\x00"])
def test_yaml_that_means_no_json_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(CliError, match=r"a\.yaml is not YAML that means JSON"):
        api.text_of(tmp_path / "a.yaml")
