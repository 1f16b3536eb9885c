"""OpenAPI says what the server does: every kind of request that it allows, and many that it does not."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from rest_server import serving
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import madeby

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def client(tmp_path_factory, brightness_bundle):
    with serving(tmp_path_factory.mktemp("schema"), model=str(brightness_bundle.folder)) as client:
        yield client


def test_any_request_of_the_description_is_answered_as_described(client):
    description = client.get("openapi.json").json()
    schema = schemathesis.openapi.from_dict(description)
    operations = [operation.ok() for operation in schema.get_all_operations()]
    assert len(operations) >= 15
    for operation in operations:

        @settings(
            max_examples=8,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @_given(operation)
        def answered(case):
            answer = case.call(base_url=client.address, timeout=30)
            case.validate_response(answer, checks=CHECKS)

        answered()


def _given(operation):
    import hypothesis

    return hypothesis.given(case=operation.as_strategy())


def test_examples_in_the_description_are_what_they_are_examples_of(client):
    from madeby.web.record import Record

    content = client.get("openapi.json").json()["paths"]["/api/v1/scan"]["post"]["responses"]["200"]["content"]
    for example in (content["application/json"]["example"]["results"][0], content["application/x-ndjson"]["example"]):
        assert Record.model_validate(example).result.schema_version == 1


def test_verbs_have_the_names_of_commands_and_functions(client):
    paths = client.get("openapi.json").json()["paths"]
    verbs = {path.removeprefix("/api/v1/") for path, methods in paths.items() if "post" in methods and "{" not in path}
    assert verbs == {"scan", "explain", "provenance"}
    assert verbs <= set(madeby.__all__)


def test_the_description_needs_nothing_from_elsewhere(client):
    assert httpx.get(f"{client.address}/docs").status_code == 404
