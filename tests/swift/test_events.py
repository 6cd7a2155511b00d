"""Every way in which a user can change an object is told once, with the right facts, and nothing else is."""

import hashlib
import io
import json
import tarfile
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_plus

import httpx
import pytest

from swift_cloud import Bucket, wait_until

HELLO_MD5 = "5d41402abc4b2a76b9719d911017c592"


def test_a_put_is_told_as_an_s3_record_in_a_cloud_event(bucket: Bucket) -> None:
    answer = bucket.put("a.txt").raise_for_status()
    [record] = bucket.records()
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["eventSource"] == "swift:s3"
    assert record["s3"]["object"]["size"] == 5
    assert record["s3"]["object"]["eTag"] == HELLO_MD5 == answer.headers["etag"]
    assert record["userIdentity"]["principalId"] == "guest:guest"
    assert record["responseElements"]["x-amz-request-id"] == answer.headers["x-trans-id"]
    [(trigger, event)] = [item for item in bucket.cloud.sink.events if item[1]["data"]["Records"][0] == record]
    stamp = bucket.client.head(f"{bucket.name}/a.txt").headers["x-timestamp"]
    assert trigger == "guest/all"
    assert event["id"] == f"AUTH_guest/{bucket.name}/a.txt@{stamp}:ObjectCreated:Put"
    assert event["type"] == "org.openstack.swift.ObjectCreated.Put"
    assert event["source"] == f"/v1/AUTH_guest/{bucket.name}"
    assert event["specversion"] == "1.0"


def test_a_chunked_put_has_its_real_size(bucket: Bucket) -> None:
    bucket.put("a", iter([b"hel", b"lo"])).raise_for_status()
    [record] = bucket.records()
    assert (record["s3"]["object"]["size"], record["s3"]["object"]["eTag"]) == (5, HELLO_MD5)


def test_refused_changes_are_not_told(bucket: Bucket) -> None:
    bucket.put("a")
    assert bucket.put("a", headers={"If-None-Match": "*"}).status_code == 412
    assert bucket.put("b", headers={"ETag": "0" * 32}).status_code == 422
    assert bucket.client.delete(f"{bucket.name}/nothing").status_code == 404
    assert bucket.client.post(f"{bucket.name}/nothing").status_code == 404
    assert bucket.client.request("COPY", f"{bucket.name}/no", headers={"Destination": f"{bucket.name}/x"}).is_error
    assert bucket.client.request("COPY", f"{bucket.name}/a", headers={"Destination": "no-slash"}).status_code == 412
    assert bucket.names() == [("ObjectCreated:Put", "a")]


def test_deletions_and_new_metadata_are_told(bucket: Bucket) -> None:
    bucket.put("a")
    assert bucket.client.post(f"{bucket.name}/a", headers={"X-Object-Meta-X": "1"}).status_code == 202
    assert bucket.client.delete(f"{bucket.name}/a").status_code == 204
    assert sorted(bucket.names()) == [
        ("ObjectCreated:Put", "a"),
        ("ObjectMetadata:Post", "a"),
        ("ObjectRemoved:Delete", "a"),
    ]


def test_sequencers_order_the_changes_of_an_object(bucket: Bucket) -> None:
    for content in (b"1", b"22", b"333"):
        bucket.put("a", content).raise_for_status()
    records = sorted(bucket.records(), key=lambda record: record["s3"]["object"]["sequencer"])
    assert [record["s3"]["object"]["size"] for record in records] == [1, 2, 3]


@pytest.mark.parametrize("method", ["COPY", "PUT"])
def test_a_copy_is_told_for_its_destination_with_the_real_size(bucket: Bucket, method: str) -> None:
    bucket.put("from")
    if method == "COPY":
        headers = {"Destination": f"{bucket.name}/to"}
        answer = bucket.client.request("COPY", f"{bucket.name}/from", headers=headers)
    else:
        answer = bucket.put("to", b"", headers={"X-Copy-From": f"{bucket.name}/from"})
    assert answer.status_code == 201
    record = next(item for item in bucket.records() if item["eventName"] == "ObjectCreated:Copy")
    assert record["s3"]["object"]["key"] == "to"
    assert (record["s3"]["object"]["size"], record["s3"]["object"]["eTag"]) == (5, HELLO_MD5)


def put_segments(bucket: Bucket) -> list[dict[str, object]]:
    bucket.client.put(f"{bucket.name}-parts").raise_for_status()
    parts = [b"a" * 1000, b"b" * 500]
    for number, part in enumerate(parts):
        bucket.client.put(f"{bucket.name}-parts/{number}", content=part).raise_for_status()
    return [
        {"path": f"/{bucket.name}-parts/{number}", "etag": hashlib.md5(part).hexdigest(), "size_bytes": len(part)}
        for number, part in enumerate(parts)
    ]


@pytest.mark.parametrize("heartbeat", ["", "&heartbeat=on"])
def test_a_static_large_object_is_told_when_it_is_complete(bucket: Bucket, heartbeat: str) -> None:
    manifest = put_segments(bucket)
    path = f"{bucket.name}/big?multipart-manifest=put{heartbeat}"
    assert bucket.client.put(path, json=manifest).status_code == (202 if heartbeat else 201)
    [record] = bucket.records()
    assert record["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    assert record["s3"]["object"]["size"] == 1500
    assert record["s3"]["object"]["eTag"] == bucket.client.head(f"{bucket.name}/big").headers["etag"].strip('"')


def test_a_large_object_that_fails_behind_a_heartbeat_is_not_told(bucket: Bucket) -> None:
    manifest = put_segments(bucket)
    manifest[0]["etag"] = "0" * 32
    answer = bucket.client.put(f"{bucket.name}/big?multipart-manifest=put&heartbeat=on", json=manifest)
    assert answer.status_code == 202
    assert "400 Bad Request" in answer.text
    assert bucket.names() == []


def test_deleting_a_large_object_with_its_parts_is_one_event(bucket: Bucket) -> None:
    manifest = put_segments(bucket)
    bucket.client.put(f"{bucket.name}/big?multipart-manifest=put", json=manifest).raise_for_status()
    assert bucket.client.delete(f"{bucket.name}/big?multipart-manifest=delete").status_code == 200
    assert sorted(bucket.names()) == [
        ("ObjectCreated:CompleteMultipartUpload", "big"),
        ("ObjectRemoved:Delete", "big"),
    ]


def test_a_dynamic_large_object_and_a_symlink_are_told_as_puts(bucket: Bucket) -> None:
    put_segments(bucket)
    bucket.put("dlo", b"", headers={"X-Object-Manifest": f"{bucket.name}-parts/0"}).raise_for_status()
    bucket.put("link", b"", headers={"X-Symlink-Target": f"{bucket.name}-parts/0"}).raise_for_status()
    assert sorted(bucket.names()) == [("ObjectCreated:Put", "dlo"), ("ObjectCreated:Put", "link")]


def test_versions_have_their_ids_and_a_delete_leaves_a_marker(bucket: Bucket) -> None:
    bucket.client.post(bucket.name, headers={"X-Versions-Enabled": "true"}).raise_for_status()
    answer = bucket.put("a").raise_for_status()
    bucket.client.delete(f"{bucket.name}/a").raise_for_status()
    version = answer.headers["x-object-version-id"]
    bucket.client.delete(f"{bucket.name}/a?version-id={version}").raise_for_status()
    made, marked, removed = sorted(bucket.records(), key=lambda record: record["s3"]["object"]["sequencer"])
    assert (made["eventName"], made["s3"]["object"]["versionId"]) == ("ObjectCreated:Put", version)
    assert (made["s3"]["object"]["size"], made["s3"]["object"]["eTag"]) == (5, HELLO_MD5)
    assert marked["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
    assert (removed["eventName"], removed["s3"]["object"]["versionId"]) == ("ObjectRemoved:Delete", version)


def test_every_member_of_an_archive_and_of_a_bulk_delete_is_told(bucket: Bucket) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in ("x/1", "x/2"):
            member = tarfile.TarInfo(name)
            member.size = 5
            tar.addfile(member, io.BytesIO(b"hello"))
    assert bucket.put("?extract-archive=tar", archive.getvalue()).is_success
    names = "\n".join(f"{bucket.name}/{name}" for name in ("x/1", "x/2", "nothing"))
    headers = {"Content-Type": "text/plain"}
    assert bucket.client.post("?bulk-delete", content=names, headers=headers).is_success
    assert sorted(bucket.names()) == [
        *(("ObjectCreated:Put", f"x/{number}") for number in (1, 2)),
        *(("ObjectRemoved:Delete", f"x/{number}") for number in (1, 2)),
    ]


def test_names_arrive_as_they_were_given(bucket: Bucket) -> None:
    names = ["naïve f/ü g.jpg", "a+b%20c?#&=.txt", "日本/🎈", "x" * 1000, '"\\\n']
    for name in names:
        bucket.client.put(f"{bucket.name}/{quote(name)}", content=b"x").raise_for_status()
    assert sorted(unquote_plus(key) for _, key in bucket.names()) == sorted(names)


def quote(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


def test_other_containers_cost_nothing_and_filters_choose_by_name(bucket: Bucket) -> None:
    bucket.subscribe(events=["s3:ObjectCreated:Put"], prefix="in/", suffix=".jpg").raise_for_status()
    for name in ("in/a.jpg", "in/a.txt", "out/a.jpg"):
        bucket.put(name).raise_for_status()
    bucket.client.delete(f"{bucket.name}/in/a.jpg").raise_for_status()
    assert bucket.names() == [("ObjectCreated:Put", "in/a.jpg")]


def test_two_triggers_on_one_container_are_both_told(bucket: Bucket) -> None:
    subscriptions = [{"trigger": "guest/one"}, {"trigger": "guest/two"}]
    bucket.client.post(f"{bucket.name}?notification", json={"subscriptions": subscriptions}).raise_for_status()
    bucket.put("a")
    assert len(bucket.records()) == 2
    triggers = {t for t, e in bucket.cloud.sink.events if e["source"].endswith(f"/{bucket.name}")}
    assert triggers == {"guest/one", "guest/two"}


def test_only_the_owner_sees_and_sets_subscriptions(bucket: Bucket) -> None:
    path = f"{bucket.name}?notification"
    acl = {"X-Container-Write": "guest:writer", "X-Container-Read": "guest:writer,other:other"}
    bucket.client.post(bucket.name, headers=acl).raise_for_status()
    account = str(bucket.client.base_url)
    for user, key in (("guest:writer", "writer-key"), ("other:other", "other-key")):
        with bucket.cloud.log_in(user, key) as stranger:
            stranger.base_url = httpx.URL(account)
            assert stranger.get(path).status_code == 403
            assert stranger.post(path, json={"subscriptions": []}).status_code == 403
            assert stranger.get(bucket.name).is_success
    assert httpx.get(f"{account}{path}", trust_env=False).status_code == 401
    assert bucket.client.get(path).json()["subscriptions"][0]["trigger"] == "guest/all"
    with bucket.cloud.log_in("guest:writer", "writer-key") as writer:
        writer.base_url = httpx.URL(account)
        assert writer.put(f"{bucket.name}/w", content=b"hello").status_code == 201
    assert bucket.names() == [("ObjectCreated:Put", "w")]


def test_clients_cannot_set_or_see_the_sysmeta(bucket: Bucket) -> None:
    header = "X-Container-Sysmeta-Rambla-Notification"
    bucket.client.post(bucket.name, headers={header: "{}"}).raise_for_status()
    assert header not in bucket.client.head(bucket.name).headers
    assert bucket.client.get(f"{bucket.name}?notification").json()["subscriptions"][0]["trigger"] == "guest/all"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "larger than"),
        (b"[" * 60_000, "not JSON"),
        (b"[]", "must be {"),
        (b'{"subscriptions":[{}]}', "trigger"),
        (b'{"subscriptions":[{"trigger":"a/b","colour":1}]}', "unknown fields: colour"),
        (b'{"subscriptions":[{"trigger":"a/b","events":["s3:Nothing"]}]}', "unknown event"),
        (b'{"subscriptions":[{"trigger":"a/b","prefix":"\\ud800"}]}', "prefix"),
        (json.dumps({"subscriptions": [{"trigger": "a/b"}] * 33}).encode(), "at most 32"),
        (json.dumps({"subscriptions": [{"trigger": "a/b", "prefix": "x" * 900}] * 8}).encode(), "more than"),
    ],
)
def test_a_bad_document_is_refused_with_the_reason(bucket: Bucket, body: bytes, reason: str) -> None:
    answer = bucket.client.post(f"{bucket.name}?notification", content=body)
    assert answer.status_code == 400
    assert reason in answer.text
    assert bucket.client.get(f"{bucket.name}?notification").json()["subscriptions"][0]["trigger"] == "guest/all"


def test_an_absent_container_has_no_subscriptions(bucket: Bucket) -> None:
    assert bucket.client.get("absent-one?notification").status_code == 404
    assert bucket.client.post("absent-one?notification", json={"subscriptions": []}).status_code == 404


def test_strangers_do_not_reach_the_outbox(bucket: Bucket) -> None:
    bucket.put("a")
    bucket.records()
    size = sum(path.stat().st_size for path in bucket.cloud.spool.glob("*/*.log"))
    for _ in range(20):
        assert httpx.put(f"{bucket.client.base_url}{bucket.name}/x", content=b"x", trust_env=False).status_code == 401
    assert sum(path.stat().st_size for path in bucket.cloud.spool.glob("*/*.log")) == size


def test_the_event_time_is_the_objects_own(bucket: Bucket) -> None:
    answer = bucket.put("a")
    [record] = bucket.records()
    rounded_up = parsedate_to_datetime(answer.headers["last-modified"])
    assert 0 <= rounded_up.timestamp() - float(int(record["s3"]["object"]["sequencer"], 16)) / 1e5 <= 1


def test_a_platform_at_another_address_is_found_by_the_configuration(bucket: Bucket) -> None:
    bucket.cloud.configure("http://127.0.0.1:1")
    bucket.put("a")
    status = bucket.cloud.spool / "status.json"
    wait_until(lambda: json.loads(status.read_text())["last_error"], "the shipper to notice")
    bucket.cloud.configure(bucket.cloud.sink.url)
    assert bucket.names() == [("ObjectCreated:Put", "a")]
