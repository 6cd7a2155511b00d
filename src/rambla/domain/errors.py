"""What can go wrong, and whose fault is it?

One base, one class per way to fail. The docstring is the message, filled from keyword arguments; `code` is stable and
listed in docs/reference/errors.md. Branch on the fault: the caller's, the world's or our own. HTTP statuses are given
in `http/errors.py` and nowhere else. Texts marked OpenWhisk are those its clients and test suites expect.
"""

import inspect
from typing import ClassVar, Literal

Fault = Literal["caller", "world", "us"]


class RamblaError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    fault: ClassVar[Fault] = "us"

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(inspect.cleandoc(self.__doc__ or "").format(**facts))


# --- the caller's fault ---


class CallerError(RamblaError):
    """The request cannot be served as it stands."""

    code = "caller_error"
    fault = "caller"


class BadRequest(CallerError):
    """{detail}"""

    code = "bad_request"


class MalformedContent(BadRequest):
    """The request content was malformed:
    {detail}"""

    code = "malformed_content"


class BadPolicy(BadRequest):
    """The policy is not accepted:
    {problems}"""

    code = "bad_policy"


class NotAuthenticated(CallerError):
    """The resource requires authentication, which was not supplied with the request"""

    code = "not_authenticated"


class BadCredentials(NotAuthenticated):
    """The supplied authentication is invalid"""

    code = "bad_credentials"


class Refused(CallerError):
    """The supplied authentication is not authorized to access '{target}'."""

    code = "refused"


class KindRefused(Refused):
    """The supplied authentication is not authorized to access actions of kind '{kind}'."""

    code = "kind_refused"


class NotFound(CallerError):
    """The requested resource does not exist."""

    code = "not_found"


class NoSuchPackage(NotFound):
    """The requested resource '{name}' does not exist."""

    code = "no_such_package"


class Conflict(CallerError):
    """{detail}"""

    code = "conflict"


class AlreadyExists(Conflict):
    """resource already exists"""

    code = "already_exists"


class ConcurrentChange(Conflict):
    """Concurrent modification to resource detected."""

    code = "concurrent_change"


class WrongCollection(Conflict):
    """Resource by this name exists but is not in this collection."""

    code = "wrong_collection"


class NamespaceDeleted(Conflict):
    """A namespace of this name was deleted, but records and objects of it remain: choose another name."""

    code = "namespace_deleted"


class LockedOut(Conflict):
    """After this change you could not change the policy any more, as '{rule}' would refuse you policy:publish. Fix: let
    a rule or a role of yours allow policy:publish, or say that you mean it: --force"""

    code = "locked_out"


class HostTaken(Conflict):
    """Host '{host}' is reported by '{by}'. Fix: report it by that account, or rambla policy fleet --forget {host}"""

    code = "host_taken"


class FleetFull(Conflict):
    """{hosts_max} hosts are reported already. Fix: rambla policy fleet --forget HOST for those that are gone"""

    code = "fleet_full"


class PackageNotEmpty(Conflict):
    """Package not empty (contains {contents}). Set force param or delete package contents."""

    code = "package_not_empty"


class CircularBinding(CallerError):
    """Package binding '{package}' contains a circular reference."""

    code = "circular_binding"


class NoSuchService(NotFound):
    """The policy has no files of the service '{service}'."""

    code = "no_such_service"


class NoTrigger(NotFound):
    """Only rules with existing triggers can be activated"""

    code = "no_trigger"


class NoSuchRoute(NotFound):
    """The requested resource could not be found."""

    code = "no_such_route"


class PropertyMissing(NotFound):
    """Response does not include requested property."""

    code = "property_missing"


class NotAcceptable(CallerError):
    """Resource representation is only available with these types:
    {types}"""

    code = "not_acceptable"


class MethodNotAllowed(CallerError):
    """HTTP method not allowed, supported methods: {methods}"""

    code = "method_not_allowed"


class UnsupportedMedia(CallerError):
    """The request's Content-Type is not supported. Expected:
    application/json"""

    code = "unsupported_media"


class TooLarge(CallerError):
    """{what} larger than allowed: {size} > {limit} bytes."""

    code = "too_large"


class HeadersTooLarge(TooLarge):
    """Request header fields larger than allowed: {size} > {limit} bytes."""

    code = "headers_too_large"


class BadQuery(BadRequest):
    """The query parameter '{name}' was malformed:
    {detail}"""

    code = "bad_query"


class TooManyAttempts(CallerError):
    """There were too many wrong passwords for this name. Try again in {retry_after_s} s."""

    code = "too_many_attempts"


class ApiKeyRequired(CallerError):
    """This API asks for a key in the header {header}."""

    code = "api_key_required"


class Throttled(CallerError):
    """Too many requests in the last minute (count: {count}, allowed: {allowed})."""

    code = "throttled"


class TooManyConcurrent(Throttled):
    """Too many concurrent requests in flight (count: {count}, allowed: {allowed})."""

    code = "too_many_concurrent"


class RateLimited(Throttled):
    """Rate limit exceeded"""

    code = "rate_limited"


# --- the world's fault ---


class WorldError(RamblaError):
    """Something this platform depends on failed."""

    code = "world_error"
    fault = "world"


class Unavailable(WorldError):
    """The server is currently unavailable (because it is overloaded or down for maintenance)."""

    code = "unavailable"


class StorageFailed(WorldError):
    """The storage failed: {detail}"""

    code = "storage_failed"


class ObjectStoreFailed(WorldError):
    """The object store failed: {detail}"""

    code = "object_store_failed"


class EngineFailed(WorldError):
    """Failed to provision resources to run the action. ({detail})"""

    code = "engine_failed"


class ImageFailed(EngineFailed):
    """Failed to {step} container image '{image}'. ({detail})"""

    code = "image_failed"


class DataFolderInUse(WorldError):
    """Another Rambla already runs on {folder} (process {pid}). Fix: stop it, or give another --data."""

    code = "data_folder_in_use"


class IsolationTooWeak(WorldError):
    """This host allows isolation level '{level}' but '{required}' is required: {reasons}"""

    code = "isolation_too_weak"


class NoAnswer(WorldError):
    """The enforcer '{enforcer}' gave no answer: {detail}"""

    code = "no_answer"


class EnforcerAway(NoAnswer):
    """The enforcer '{enforcer}' gave no answer: {detail}"""

    code = "enforcer_away"


class SourceAway(WorldError):
    """The identity source '{source}' cannot say who you are: {detail}"""

    code = "source_away"


class SourceKnowsOthers(SourceAway):
    """The identity source '{source}' cannot say who you are: {detail}"""

    code = "source_knows_others"


class BrokenPolicy(WorldError):
    """The policy is not accepted:
    {problems}"""

    code = "broken_policy"


class BadSettings(WorldError):
    """Setting {name}: {detail}"""

    code = "bad_settings"
