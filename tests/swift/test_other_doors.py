"""Objects that come in through S3, signed addresses and forms are told like all others."""

import hashlib
import hmac
import time
from typing import Any

import httpx
import pytest

from swift_cloud import Bucket

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'rambla[test]'")


@pytest.fixture
def s3(bucket: Bucket) -> Any:
    client = boto3.client(
        "s3",
        endpoint_url=bucket.cloud.url,
        aws_access_key_id="guest:guest",
        aws_secret_access_key="guest-key",
        region_name="us-east-1",
    )
    yield client
    client.close()


def test_s3_puts_copies_and_deletes_are_told(bucket: Bucket, s3: Any) -> None:
    s3.put_object(Bucket=bucket.name, Key="a/ä", Body=b"hello")
    s3.copy_object(Bucket=bucket.name, Key="b", CopySource={"Bucket": bucket.name, "Key": "a/ä"})
    s3.delete_object(Bucket=bucket.name, Key="a/ä")
    records = bucket.records()
    assert sorted((item["eventName"], item["s3"]["object"]["key"]) for item in records) == [
        ("ObjectCreated:Copy", "b"),
        ("ObjectCreated:Put", "a/%C3%A4"),
        ("ObjectRemoved:Delete", "a/%C3%A4"),
    ]
    assert {item["s3"]["object"].get("size", 5) for item in records} == {5}


def test_an_s3_multipart_upload_is_one_event_when_it_is_complete(bucket: Bucket, s3: Any) -> None:
    path = {"Bucket": bucket.name, "Key": "big"}
    upload = path | {"UploadId": s3.create_multipart_upload(**path)["UploadId"]}
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=b"x" * (5 << 20))["ETag"]}
        for number in (1, 2)
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    [record] = bucket.records()
    assert record["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    assert (record["s3"]["object"]["key"], record["s3"]["object"]["size"]) == ("big", 10 << 20)


def test_every_object_of_an_s3_multi_delete_is_told(bucket: Bucket, s3: Any) -> None:
    for name in "ab":
        bucket.put(name)
    s3.delete_objects(Bucket=bucket.name, Delete={"Objects": [{"Key": key} for key in ("a", "b", "nothing")]})
    assert [name for name in sorted(bucket.names()) if "Removed" in name[0]] == [
        ("ObjectRemoved:Delete", "a"),
        ("ObjectRemoved:Delete", "b"),
    ]


def test_a_put_through_a_signed_address_is_told(bucket: Bucket) -> None:
    bucket.client.post("", headers={"X-Account-Meta-Temp-URL-Key": "k"}).raise_for_status()
    expires = int(time.time()) + 60
    path = f"/v1/AUTH_guest/{bucket.name}/signed"
    signature = hmac.new(b"k", f"PUT\n{expires}\n{path}".encode(), "sha256").hexdigest()
    url = f"{bucket.cloud.url}{path}?temp_url_sig={signature}&temp_url_expires={expires}"
    assert httpx.put(url, content=b"hello", trust_env=False).status_code == 201
    assert bucket.names() == [("ObjectCreated:Put", "signed")]


def test_a_file_from_a_form_is_told_as_a_post(bucket: Bucket) -> None:
    bucket.client.post("", headers={"X-Account-Meta-Temp-URL-Key": "k"}).raise_for_status()
    expires = str(int(time.time()) + 60)
    path = f"/v1/AUTH_guest/{bucket.name}/form-"
    text = "\n".join((path, "", "1000", "1", expires))
    signature = hmac.new(b"k", text.encode(), hashlib.sha256).hexdigest()
    fields = {"redirect": "", "max_file_size": "1000", "max_file_count": "1", "expires": expires}
    answer = httpx.post(
        f"{bucket.cloud.url}{path}",
        data=fields | {"signature": signature},
        files={"file1": ("a.txt", b"hello")},
        trust_env=False,
    )
    assert answer.status_code == 201
    [record] = bucket.records()
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Post", "form-a.txt")
    assert record["s3"]["object"]["size"] == 5
