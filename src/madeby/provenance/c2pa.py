"""C2PA Content Credentials: signed statements about a picture's making (C2PA specification 2.2).

Reading and cryptography are c2pa-python's; this file keeps its outcomes apart as states (``trusted``,
``untrusted``, ``tampered``, ``invalid``, ``unreadable``, ``remote``, ``removed``, ``absent``) and works out what
the manifest declares, from its own actions (v1 and v2) and from the ingredients it was made of.
"""

from __future__ import annotations

import io
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from madeby.errors import PictureError
from madeby.pictures.fetch import fetch
from madeby.provenance.evidence import signal
from madeby.provenance.material import Material
from madeby.provenance.services import service_in
from madeby.provenance.source_types import Declaration, declaration_of, strongest
from madeby.provenance.trust import TrustList, trust_list
from madeby.schema import Signal

if TYPE_CHECKING:
    from c2pa import Context

NAME = "c2pa"
DUBLIN_CORE_TERMS = "http://purl.org/dc/terms/"
MIME_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
}
IDENTITY = "cawg."
SIGNER_PROBLEMS = ("signingCredential.", "timeStamp.", "timeOfSigning.")
FORMALITIES = ("assertion.action.malformed", "assertion.action.ingredientMismatch")
"""Failures that break a rule of form while signature and hashes hold, as many files by large services do."""
BINDINGS = frozenset(f"assertion.{kind}Hash.match" for kind in ("data", "bmff", "boxes", "collection"))
"""Successes of which one must be there: they tie the manifest to this very picture."""
TAMPERING = ("mismatch", "hardBindings.missing", "assertion.missing", "assertion.notRedacted")
_MOST_MANIFESTS = 200


def read(material: Material) -> Signal:
    """The picture's C2PA manifest store; see the module for its states.

    ``detail``: ``state``, ``declares`` (source types), ``declaration``, ``signer``, ``signer_name``, ``time``,
    ``claim_generator``, ``software_agents``, ``ingredients`` (count), ``failures`` (the standard's codes),
    ``trust_list``, ``url`` of a remote manifest.
    """
    contents = material.contents
    remote = None if contents.has_c2pa else _remote_manifest(material)
    if not contents.has_c2pa and remote is None:
        return signal(NAME, "absent", "no Content Credentials")
    if remote and not remote.lower().startswith(("http://", "https://")):
        return signal(NAME, "removed", "Content Credentials once stood in this file and were removed", url=remote)
    policy = material.options.fetch_remote
    if remote and policy is None:
        return signal(NAME, "remote", "Content Credentials are linked but were not fetched", url=remote)
    trusted = trust_list(material.options.trust_list)
    try:
        manifest = fetch(remote, policy) if remote and policy else None
        store = _read_store(material, trusted, manifest)
    except PictureError as error:
        said = f"linked Content Credentials could not be fetched: {error.message}"
        return signal(NAME, "remote", said, url=remote, problem=error.code.value)
    except _NoManifestError:
        return signal(NAME, "unreadable", "the place for Content Credentials holds none", url=remote)
    except _UnreadableError as error:
        return signal(NAME, "unreadable", "Content Credentials are present but unreadable", problem=str(error))
    return _judge(store, trusted, remote)


class _NoManifestError(Exception):
    """c2pa-python finds no manifest where the container has a place for one."""


class _UnreadableError(Exception):
    """c2pa-python refuses the manifest store."""


def _remote_manifest(material: Material) -> str | None:
    """The URL of a manifest that XMP links by ``dcterms:provenance``, if it does."""
    for entry in material.xmp.properties:
        if entry.name == "provenance" and entry.namespace == DUBLIN_CORE_TERMS:
            return entry.value[:2000]
    return None


def _read_store(material: Material, trusted: TrustList, manifest: bytes | None) -> dict[str, Any]:
    """The manifest store as c2pa-python reports it; ``manifest`` where it does not stand in the file."""
    import c2pa

    context, mime_type = _context(trusted.pem), MIME_TYPES.get(material.contents.format)
    try:
        reader = c2pa.Reader(mime_type, io.BytesIO(material.data), manifest, context=context)
    except c2pa.C2paError.ManifestNotFound:
        raise _NoManifestError from None
    except c2pa.C2paError as error:
        raise _UnreadableError(str(error)[:300]) from None
    with reader:
        store = json.loads(reader.json())
    if not isinstance(store, dict):
        raise _UnreadableError("the manifest store is not an object")
    return store


@lru_cache(maxsize=8)
def _context(pem: str) -> Context:
    import c2pa

    return c2pa.Context.from_dict(
        {
            "version": 1,
            "trust": {"trust_anchors": pem},
            "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        }
    )


def _judge(store: dict[str, Any], trusted: TrustList, remote: str | None) -> Signal:
    manifests = _mapping(store.get("manifests"))
    label = str(store.get("active_manifest"))
    active = _mapping(manifests.get(label))
    if not active:
        return signal(NAME, "unreadable", "Content Credentials are present but name no active manifest")
    state, failures = state_of(_mapping(store.get("validation_results")))
    types: dict[str, Declaration] = {}
    agents: set[str] = set()
    declaration = _declaration(label, manifests, types, agents, {}) or Declaration.OTHER
    # What an ingredient says counts in full only where its own signature is vouched for: else anyone could sign a
    # generated picture as a capture and have a trusted editor pass it on. Towards ai it still counts as untrusted.
    deltas_failed = any(code.startswith("ingredient: ") for code in failures)
    vouched = _declaration(label, manifests, {}, set(), {}, "none" if deltas_failed else "vouched") or Declaration.OTHER
    unvouched = declaration is not vouched
    if unvouched and declaration in (Declaration.CAPTURED, Declaration.CREATED, Declaration.OTHER):
        declaration = vouched
    elif unvouched and state == "trusted":
        state = "untrusted"
    signature = _mapping(active.get("signature_info"))
    signer = str(signature.get("issuer") or signature.get("common_name") or "an unnamed signer")
    detail: dict[str, Any] = {
        "declaration": declaration.value,
        "declares": sorted(types),
        "signer": signer,
        "signer_name": signature.get("common_name"),
        "time": signature.get("time"),
        "claim_generator": _claim_generator(active),
        "software_agents": sorted(agents),
        "ingredients": len(_sequence(active.get("ingredients"))),
        "failures": failures,
        "trust_list": f"{trusted.name} {trusted.date}".strip(),
        "url": remote,
    }
    if state in ("tampered", "invalid"):
        said = f"Content Credentials signed by {signer} do not match the picture: changed after signing"
        if state == "invalid":
            said = f"Content Credentials signed by {signer} break the standard's rules"
        return signal(NAME, state, said, **detail)
    doubt = " (about an ingredient whose own signature is not trusted)" if unvouched else " (not a trusted signature)"
    who = f"signed by {signer}" + ("" if state == "trusted" else doubt)
    return signal(NAME, f"{state}, {declaration}", f"Content Credentials {who} {_SAYS[declaration]}", **detail)


_SAYS = {
    Declaration.GENERATED: "declare the picture AI-generated",
    Declaration.COMPOSITE: "declare parts of the picture AI-generated",
    Declaration.SYNTHETIC: "declare parts of the picture synthetic",
    Declaration.CAPTURED: "declare a camera's picture",
    Declaration.CREATED: "declare a person's work",
    Declaration.OTHER: "do not say who made the picture",
}


def state_of(results: dict[str, Any]) -> tuple[str, list[str]]:
    """The state of a manifest store and its failure codes, from c2pa-python's validation results.

    Failures of the identity assertions that some signers add (CAWG) are listed but leave the state alone: they say
    who claims to have been involved, not whether the picture or the claim was changed.
    """
    codes = _codes(_mapping(results.get("activeManifest")), "failure")
    below = [
        code
        for delta in _sequence(results.get("ingredientDeltas"))
        for code in _codes(_mapping(_mapping(delta).get("validationDeltas")), "failure")
    ]
    successes = _codes(_mapping(results.get("activeManifest")), "success")
    failures = list(dict.fromkeys([*codes, *(f"ingredient: {code}" for code in below)]))[:20]
    changed = [code for code in (*codes, *below) if code.endswith(TAMPERING)]
    if any(not code.startswith((IDENTITY, *SIGNER_PROBLEMS)) for code in changed):
        return "tampered", failures
    serious = [code for code in codes if not code.startswith((IDENTITY, *SIGNER_PROBLEMS, *FORMALITIES))]
    if serious or "claimSignature.validated" not in successes or not BINDINGS & set(successes):
        return "invalid", failures
    signer_ok = "signingCredential.trusted" in successes
    signer_ok &= not any(code.startswith("signingCredential.") for code in codes)
    return ("trusted" if signer_ok else "untrusted"), failures


def _declaration(
    label: str,
    manifests: dict[str, Any],
    types: dict[str, Declaration],
    agents: set[str],
    known: dict[str, Declaration | None],
    ingredients_counted: Literal["all", "vouched", "none"] = "all",
) -> Declaration | None:
    """What a manifest declares, its own actions first, then what it was made of.

    A parent passes its declaration on; a mere component that is generated makes a composite, unless it is all
    there is. What only went *into* a generator says nothing about what came out. ``known`` keeps what each manifest
    declares: none is asked twice, and none can be its own ingredient.
    """
    if label in known:
        return known[label]
    known[label] = None
    manifest = _mapping(manifests.get(label))
    own = _own_declarations(manifest, types, agents)
    ingredients = [_mapping(entry) for entry in _sequence(manifest.get("ingredients"))]
    for ingredient in ingredients if len(known) <= _MOST_MANIFESTS else ():
        relationship = ingredient.get("relationship")
        if relationship == "inputTo" or ingredients_counted == "none":
            continue
        if ingredients_counted == "vouched" and not _vouched(ingredient):
            continue
        below = str(ingredient.get("active_manifest"))
        inherited = _declaration(below, manifests, types, agents, known, ingredients_counted)
        if inherited is Declaration.GENERATED and relationship != "parentOf" and (own or len(ingredients) > 1):
            inherited = Declaration.COMPOSITE
        if inherited:
            own.add(inherited)
    known[label] = strongest(own)
    return known[label]


def _vouched(ingredient: dict[str, Any]) -> bool:
    """Whether the signer of the manifest found the ingredient's own signature intact and trusted."""
    results = _mapping(_mapping(ingredient.get("validation_results")).get("activeManifest"))
    successes, failures = _codes(results, "success"), _codes(results, "failure")
    return "signingCredential.trusted" in successes and "claimSignature.validated" in successes and not failures


def _own_declarations(manifest: dict[str, Any], types: dict[str, Declaration], agents: set[str]) -> set[Declaration]:
    found: set[Declaration] = set()
    for assertion in _sequence(manifest.get("assertions")):
        entry = _mapping(assertion)
        label, data = str(entry.get("label")), _mapping(entry.get("data"))
        if label.startswith("c2pa.actions"):
            for action in _sequence(data.get("actions")):
                found |= _in_action(_mapping(action), types, agents)
        else:  # metadata assertions: IPTC, schema.org, C2PA
            for key, value in data.items():
                if key.rpartition(":")[2].lower() == "digitalsourcetype" and isinstance(value, str):
                    found |= _note(value, types)
    return found


def _in_action(action: dict[str, Any], types: dict[str, Declaration], agents: set[str]) -> set[Declaration]:
    agent = action.get("softwareAgent")
    name = str(_mapping(agent).get("name") or "") if isinstance(agent, dict) else str(agent or "")
    if name:
        agents.add(name[:200])
    parameters = _mapping(action.get("parameters"))
    source_type = action.get("digitalSourceType") or parameters.get("digitalSourceType")
    if isinstance(source_type, str):
        return _note(source_type, types)
    if action.get("action") == "c2pa.created" and service_in(name):  # services that predate source types
        return {Declaration.GENERATED}
    return set()


def _note(source_type: str, types: dict[str, Declaration]) -> set[Declaration]:
    known = declaration_of(source_type)
    if known is None:
        return set()
    types[known[0]] = known[1]
    return {known[1]}


def _claim_generator(manifest: dict[str, Any]) -> str:
    for info in _sequence(manifest.get("claim_generator_info")):
        entry = _mapping(info)
        if entry.get("name"):
            return f"{entry['name']} {entry.get('version') or ''}".strip()[:200]
    return str(manifest.get("claim_generator") or "")[:200]


def _codes(results: dict[str, Any], kind: str) -> list[str]:
    return [str(_mapping(status).get("code")) for status in _sequence(results.get(kind))]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
