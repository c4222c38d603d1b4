"""A Secure App Connector → the installer's arguments, a command to paste, user data, and facts for other tools.

Source: reference, connectors 3.3 and 3.4. The provisioning key is in none of them.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

import yaml

from policysync.kinds.kind import Kind
from policysync.render.artefact import Artefact, json_text
from policysync.render.skyhigh_pops import gateway_host
from policysync.render.skyhigh_probe import probe_script, proxy_url
from policysync.state.resource import Resource

KEY_FILE = "/etc/policysync/skyhigh/provision_key"
KEY_MARK = "@@PROVISION_KEY_B64@@"
"""Stands in the user data where the key belongs, as base64."""
INSTALLER = "/usr/local/sbin/policysync-skyhigh-install"
WORK_FOLDER = "/opt/policysync/skyhigh"
_REDACTED = "<redacted>"

_SCRIPT = Template("""\
#!/bin/bash
set -euo pipefail
umask 077
workdir=$folder
install -d -m 0700 "$$workdir"
cd "$$workdir"
curl --fail --silent --show-error --location --output PoPPackage.tar $url
echo "$sha256  PoPPackage.tar" | sha256sum --check --strict
tar -xvf PoPPackage.tar
tar -xvf Infrastructure.tar
install -m 0755 $platform/pa_connector.sh /usr/local/bin/pa_connector.sh
install -m 0755 $platform/infra.sh infra.sh
bash infra.sh \\
  $options
shred -u $key
""")


def render(resource: Resource, _kind: Kind) -> tuple[Artefact, ...]:
    """Return the artefacts in the reviewable form."""
    spec = resource.spec
    argv = {"program": "bash", "script": "infra.sh", "arguments": arguments(spec, _REDACTED)}
    return (
        Artefact("argv.json", json_text(argv)),
        Artefact("command.txt", command(spec) + "\n"),
        Artefact("user-data.yaml", user_data(spec)),
        Artefact("host.json", json_text(host_facts(resource))),
        Artefact("preflight.sh", probe_script(spec)),
    )


def arguments(spec: Mapping[str, Any], key: str) -> list[str]:
    """Return the installer's arguments, each one whole: nothing is joined and split again on the way."""
    return [f"{name}={value}" for name, value in _options(spec, key)]


def command(spec: Mapping[str, Any]) -> str:
    """Return one line to paste into a shell of the machine; it reads the key from its file at the last moment."""
    return " ".join(["sudo bash infra.sh", *_shell_options(spec)])


def install_script(spec: Mapping[str, Any]) -> str:
    """Return the script that fetches, checks and unpacks the package and runs the installer."""
    return _SCRIPT.substitute(
        folder=WORK_FOLDER,
        url=_quoted(spec["package"]["url"]),
        sha256=spec["package"]["sha256"],
        platform=spec["platform"],
        options=" \\\n  ".join(_shell_options(spec)),
        key=KEY_FILE,
    )


def user_data(spec: Mapping[str, Any]) -> str:
    """Return cloud-init's user data, with a mark where the key belongs."""
    machine = spec["host"]
    document = {
        "hostname": machine["hostname"],
        "timezone": machine["timezone"],
        "write_files": [
            {
                "path": KEY_FILE,
                "owner": "root:root",
                "permissions": "0600",
                "encoding": "b64",
                "content": KEY_MARK,
            },
            {"path": INSTALLER, "owner": "root:root", "permissions": "0700", "content": install_script(spec)},
        ],
        "runcmd": [[INSTALLER]],
    }
    return "#cloud-config\n" + yaml.dump(document, Dumper=_Blocks, sort_keys=False, allow_unicode=True, width=4096)


def host_facts(resource: Resource) -> dict[str, Any]:
    """Return what another tool, such as Ansible, needs to install the connector by its own means."""
    spec, machine = resource.spec, resource.spec["host"]
    return {
        "name": resource.address.name,
        "host": machine.get("address") or machine["hostname"],
        "user": machine["ssh"]["user"],
        "port": machine["ssh"]["port"],
        "hostname": machine["hostname"],
        "timezone": machine["timezone"],
        "connector_group": spec["connectorGroup"],
        "gateway": gateway_host(spec["gateway"]),
        "package": {"url": spec["package"]["url"], "sha256": spec["package"]["sha256"], "folder": spec["platform"]},
        "provision_key_file": KEY_FILE,
        "arguments": [f"{name}={value}" for name, value in _options(spec, "")[1:]],
    }


def _options(spec: Mapping[str, Any], key: str) -> Sequence[tuple[str, str]]:
    options = [("--provision_key", key), ("--gateway", gateway_host(spec["gateway"]))]
    if proxy := proxy_url(spec):
        options.append(("--proxy", proxy))
        if spec["proxy"].get("noProxy"):
            options.append(("--no_proxy", ",".join(spec["proxy"]["noProxy"])))
    return options


def _shell_options(spec: Mapping[str, Any]) -> list[str]:
    (name, _), *others = _options(spec, "")
    return [f'{name}="$(cat {KEY_FILE})"', *(f"{option}={_quoted(value)}" for option, value in others)]


def _quoted(text: str) -> str:
    """Return a text as a shell takes it: in double quotes where they change nothing, else in single ones."""
    return shlex.quote(text) if any(char in text for char in '"\\$`!\n') else f'"{text}"'


class _Blocks(yaml.SafeDumper):
    """Writes a script as a block, a line a line."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else '"' if value.isdecimal() or value.startswith("@") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Blocks.add_representer(str, _text)
