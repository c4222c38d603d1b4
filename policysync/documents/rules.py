"""Every rule about documents that stand in a stage together.

A rule is asked once for a stage. One that cannot judge a part of it says nothing of one. What follows from another
finding is dropped in `causes` and in the judge, never inside a rule.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from policysync.documents.apart import too_close
from policysync.documents.clash import clashes
from policysync.documents.composite import stated_twice
from policysync.documents.dangling import dangling
from policysync.documents.homeless import homeless
from policysync.documents.same_name import same_names
from policysync.documents.together import Found, Rule, Together


def network(together: Together) -> Iterable[Found]:
    """Return what does not fit between connectors and registries; of a part nobody can say."""
    if together.part is not None:
        return ()
    # Imported where everything is judged: one document is judged without.
    found: Iterable[Found] = importlib.import_module("policysync.documents.network").misfitting(together)
    return found


RULES_TOGETHER: tuple[Rule, ...] = (dangling, same_names, homeless, network, stated_twice, too_close, clashes)
