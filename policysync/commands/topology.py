"""`policysync topology`."""

from __future__ import annotations

import json

import click

from policysync.commands.session import open_session
from policysync.documents.desired import desired_state
from policysync.documents.network import consoles
from policysync.errors import InvalidInput
from policysync.reports.topology import topology_json, topology_mermaid, topology_text
from policysync.topology.graph import topology


@click.command(short_help="Show which connector carries which registry.")
@click.option("--stage", "-s", help="Only this stage.")
@click.option("--revision", help="Read the documents from this git revision.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "mermaid"]), default="text", help="Form of the result."
)
def command(*, stage: str | None, revision: str | None, form: str) -> None:
    """Show console, connector, tunnel and registry of each stage, as git says it. Nothing is asked of a target.

    What does not fit together is a finding of `policysync validate`.

    \b
    Example:
      policysync topology --stage prod
      policysync topology --format mermaid > topology.mmd
    """
    session = open_session()
    project = session.project
    stages = [project.stage(stage)] if stage else list(project.stages)
    source = session.source(revision)
    found, wrong = [], set()
    for one in stages:
        state = desired_state(source, project, one, session.kinds)
        wrong |= set(state.errors)
        specs = {resource.address: resource.spec for resource in state.resources}
        found.append(topology(one.name, consoles(project), specs))
    if wrong:
        raise InvalidInput(wrong)
    if form == "json":
        click.echo(json.dumps(topology_json(found), indent=2))
    elif form == "mermaid":
        click.echo(topology_mermaid(found))
    else:
        click.echo("\n\n".join(topology_text(one) for one in found))
