"""What every stable code means, for tools that show an explanation beside a finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Rule(NamedTuple):
    """A heading, and a few sentences that say why it matters and what to do."""

    short: str
    help: str


def rule(code: str) -> Rule:
    """Return what a code means. One that is newer than this table is told by its name."""
    return RULES.get(code) or Rule(
        code.replace("-", " "), f"The message says what is wrong and what would be right ({code})."
    )


_YAML = "policysync reads YAML 1.2 and refuses what parsers read differently, so that every tool sees the same value."
_SCHEMA = "The schema of the kind says what a field may hold; `policysync schema KIND` prints it."
_LIMIT = "Limits keep a hostile pull request from using up the runner. Split the file, or write the values out."
_CONFIG = (
    "policysync.yaml says what stages, targets, guards and gates there are; `policysync config check` reads it alone."
)
_ENVELOPE = "A document has apiVersion, kind, metadata and spec; `policysync schema KIND` prints its whole schema."
_REFERENCE = "Secrets stay out of git: a sensitive field holds a reference such as ${env:NAME} or ${file:PATH}."
_IDLE = "It does no harm, and a reader may believe that it does something. Take it out, or change what switches it off."
_PIN = "releases/<stage>.yaml pins the revision a stage follows; `policysync promote` writes it."
_ACCEPTED = "policysync.yaml lists edits by hand that are accepted until a date; after it they are drift again."

_SETTINGS = (
    *("duplicate", "environment", "external", "freeze", "guard", "name", "no-file", "path", "backend", "schemas"),
    *("duration", "gate", "unknown-gate", "window"),
    *("stages", "time", "timeout", "to", "unknown-backend", "unknown-guard", "unmanaged", "version", "zone"),
)

RULES: Mapping[str, Rule] = {
    # what a file may not hold
    "syntax": Rule("the file cannot be read", _YAML),
    "encoding": Rule("the file is not UTF-8", "Save the file as UTF-8."),
    "duplicate-key": Rule(
        "a key stands there twice", f"Which of the two counts differs from parser to parser. {_YAML}"
    ),
    "merge-key": Rule("a merge key", f"Write the members out. {_YAML}"),
    "key": Rule("a key that is not text", _YAML),
    "tag": Rule("a YAML tag", f"Tags make objects of data. {_YAML}"),
    "alias": Rule("an alias without its anchor", _YAML),
    "alias-budget": Rule("aliases repeat too much", _LIMIT),
    "nesting": Rule("nested too deep", _LIMIT),
    "number": Rule("a number that is too large", "Write it as text, in quotes."),
    "file-size": Rule("the file is too big", _LIMIT),
    "file-count": Rule("too many files", _LIMIT),
    "symlink": Rule("a link that leaves the repository", "Link inside the repository, or copy the file."),
    "unreadable": Rule("the file cannot be read", "Check its type and its rights."),
    "second-document": Rule("a second document", "This file holds one document; move the other one out."),
    # envelopes and places
    "misplaced": Rule("the file describes nothing", "Documents stand in policies/base or policies/stages/<stage>."),
    "unknown-stage": Rule("a stage that does not exist", _CONFIG),
    "api-version": Rule("another apiVersion", _ENVELOPE),
    "unknown-kind": Rule("a kind that does not exist", "`policysync kinds` lists the kinds."),
    "unknown-key": Rule("a key that does not exist", f"A misspelt key would be ignored without a word. {_ENVELOPE}"),
    "absent": Rule("`absent` where it cannot stand", "Only an overlay takes a resource out of its stage."),
    "target": Rule("a target that does not exist", _CONFIG),
    "no-target": Rule(
        "no target takes the resource", "No target of the stage serves this kind, or all of them are ruled out."
    ),
    "name-mismatch": Rule("two names for one resource", "metadata.name and the key inside the spec have to agree."),
    "read-only-kind": Rule(
        "a kind that can only be read", "Consoles show these objects and do not let anybody write them."
    ),
    "duplicate-resource": Rule("a resource is described twice", "Keep one document for each kind and name in a layer."),
    "overlay-for-nothing": Rule(
        "an overlay without a base", "An overlay changes a document of policies/base; there is none."
    ),
    "clash": Rule("two resources get in each other's way", "The message names both, and what has to differ."),
    "stated-twice": Rule("one object is stated twice", "Two documents would write the same object of the console."),
    # values
    "type": Rule("a value of another type", _SCHEMA),
    "enum": Rule("a value that is not allowed", _SCHEMA),
    "const": Rule("a value that is not allowed", _SCHEMA),
    "range": Rule("a number out of range", _SCHEMA),
    "pattern": Rule("text in another form", _SCHEMA),
    "format": Rule("text in another form", _SCHEMA),
    "length": Rule("too long or too short", _SCHEMA),
    "unique": Rule("an entry stands there twice", _SCHEMA),
    "form": Rule("none of the forms that are allowed", _SCHEMA),
    "forbidden": Rule("a value that cannot stand there", _SCHEMA),
    "invalid": Rule("the value breaks a rule of its kind", _SCHEMA),
    "required": Rule("something is missing", _SCHEMA),
    "unknown-field": Rule("a field that does not exist", f"A misspelt field would protect nothing. {_SCHEMA}"),
    "duplicate-item": Rule("an element stands there twice", "Elements of this list are told apart by their key."),
    "scope": Rule(
        "a scope expression that does not fit", "The expression names variables by their position: v1 && v2."
    ),
    "dangling-reference": Rule("a reference to nothing", "What is named here is neither in git nor built in."),
    "unknown-variable": Rule(
        "a variable that does not exist", "Variables of a stage stand under `vars` in policysync.yaml."
    ),
    "variable": Rule("a variable that cannot stand there", "${var.NAME} takes a value from the stage's `vars`."),
    "misplaced-reference": Rule("a secret reference in a plain field", _REFERENCE),
    "nearly-a-reference": Rule(
        "text that looks like a reference", "It is taken as it is; `$${` says that this is meant. " + _REFERENCE
    ),
    "secret-reference": Rule("a secret written out", _REFERENCE),
    "literal-secret": Rule("a secret written out", _REFERENCE),
    "secret": Rule("a secret that cannot be resolved", _REFERENCE),
    # unwise
    "read-only-field": Rule("a field that the server sets", _IDLE),
    "removed-field": Rule("a field that current consoles lack", _IDLE),
    "no-effect": Rule("a value without effect", _IDLE),
    "does-nothing": Rule("a document without effect", _IDLE),
    "unusual-value": Rule("a value that is rarely meant", "The message says what it does, and what is usual."),
    "unknown-value": Rule("a value that was not seen before", "It may be newer than the schema, or misspelt."),
    # policysync.yaml and what stands beside it
    **dict.fromkeys(_SETTINGS, Rule("policysync.yaml is wrong", _CONFIG)),
    **dict.fromkeys(("at", "first-stage", "revision", "stage", "unknown-revision"), Rule("a pin is wrong", _PIN)),
    **dict.fromkeys(("field", "pointer", "resource"), Rule("accepted drift is stated wrongly", _ACCEPTED)),
    **dict.fromkeys(
        ("kind-name", "schema", "unknown-annotation"), Rule("the schema of a kind is wrong", "See `schemas`.")
    ),
    # plans and drift
    "looser": Rule(
        "the change makes a policy weaker",
        "At least one edit goes in the direction that the schema calls looser. Have somebody look at it before it is "
        "applied.",
    ),
    "overwrites-drift": Rule(
        "the change undoes an edit by hand",
        "Somebody edited the console since the last apply. Applying puts back what git says; `policysync adopt "
        "--write-back` takes the edit into git instead.",
    ),
    "blocked": Rule(
        "the resource can neither be compared nor changed",
        "The message says what is in the way. Nothing is sent for this resource until that is gone.",
    ),
    "guard": Rule(
        "a guard would refuse the apply",
        "Guards refuse plans that look like accidents. The message says why; --allow GUARD lifts one, and is recorded.",
    ),
    "drift": Rule(
        "somebody changed the resource by hand",
        "Live differs from what was last applied. `policysync apply` puts it back; `policysync adopt --write-back` "
        "takes it into git.",
    ),
    "drift-looser": Rule(
        "somebody made the policy weaker by hand",
        "Live is weaker than what was last applied. `policysync apply` puts it back; `policysync adopt --write-back` "
        "takes it into git.",
    ),
    "deleted-by-hand": Rule(
        "somebody deleted the resource",
        "It was applied once and is gone from the console. `policysync apply` creates it again.",
    ),
}
