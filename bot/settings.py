"""Every setting of the bot, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.adapters.redis.address import address_of
from bot.domain.errors import SettingsError
from bot.domain.nearest import did_you_mean
from bot.shipped import SHIPPED, runbook_path

PREFIX = "PILOTHOUSE_"


def _redis_url(value: str) -> str:
    address_of(value)
    return value


def _http_url(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value


def _with_slash(value: str) -> str:
    return value if value.endswith("/") else f"{value}/"


def _runbook_paths(value: object) -> object:
    parts = [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value
    return tuple(runbook_path(part) for part in parts) if isinstance(parts, list | tuple) else parts


RedisUrl = Annotated[str, AfterValidator(_redis_url)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_runbook_paths)]


class Settings(BaseSettings):
    """Every setting; the environment name is ``PILOTHOUSE_`` plus the upper-cased field name.

    Constructed directly, it reads only its arguments; ``load_settings`` reads the environment.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True
    )

    env_file: Path | None = Field(
        default=None,
        description="A file of further variables, `NAME=value` a line, for these settings and for `${…}` in"
        " the catalogue; `.env` in the working directory if not set. The environment comes first.",
    )
    redis_url: RedisUrl = Field(
        default="redis://localhost:6379/0",
        repr=False,  # it may hold a password
        description="Where all state is: `redis://host:6379/0`, `rediss://…` with TLS, `unix:///path`, "
        "`redis+sentinel://h1:26379,h2:26379/service/0` or `redis+cluster://h1:6379,h2:6379`.",
    )
    redis_prefix: str = Field(
        default="pilothouse",
        pattern=r"^[A-Za-z0-9_.:-]{1,64}$",
        description="The prefix of every key, so that two bots can share one Redis.",
    )
    shards: int = Field(
        default=1,
        ge=1,
        le=256,
        description="How many slots of a Redis Cluster the runs are spread over; fixed once there are runs.",
    )
    slack_bot_token: SecretStr | None = Field(
        default=None, description="The bot token, `xoxb-…`: the account that the bot posts as."
    )
    slack_app_token: SecretStr | None = Field(
        default=None, description="The app-level token, `xapp-…`; needed in Socket Mode."
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None, description="The secret that Slack signs its requests with; needed in HTTP mode."
    )
    slack_api_url: Annotated[HttpUrl, AfterValidator(_with_slash)] = Field(
        default="https://slack.com/api/", min_length=1, description="The base URL of Slack's Web API."
    )
    slack_mode: Literal["socket", "http"] = Field(
        default="socket",
        description="How Slack reaches the bot: `socket` (the bot connects out) or `http` (signed requests).",
    )
    default_channel: str = Field(
        default="incidents",
        min_length=1,
        description="The channel, without `#`, for messages whose service has no channel of its own.",
    )
    accuracy_channel: str = Field(
        default="",
        description="The channel, without `#`, for the accuracy of the past week's diagnoses, each Monday "
        "at 9:00 UTC; empty: it is not posted.",
    )
    alertmanager_url: str = Field(
        default="",
        description="Address of your Alertmanager, `http://am:9093`, or of all of its cluster, separated by"
        " commas: an alert that they listed and have not for three minutes is closed; empty: not asked.",
    )
    catalogue: Path = Field(
        default=Path("catalogue.yaml"), description="The file that lists your services and their sources."
    )
    runbooks: Paths = Field(
        default=(Path(SHIPPED),),
        min_length=1,
        description="Folders with runbooks, searched recursively; separate several with `:`. The word "
        "`shipped` stands for the runbooks that ship with Pilothouse: `shipped:my-runbooks` adds yours.",
    )
    http_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address that `web` listens on for webhooks, health and metrics.",
    )
    http_port: int = Field(
        default=8080, ge=0, le=65535, description="The TCP port that `web` listens on; 0 picks a free one."
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="The TCP port on which a process without `web` serves health and metrics; 0: none.",
    )
    otlp_url: HttpUrl = Field(
        default="",
        description="Where traces go (OTLP, HTTP): `http://host:4318/v1/traces`; needs the `otel` extra.",
    )
    webhook_token: SecretStr | None = Field(
        default=None,
        description="The bearer token that a monitoring system must send; without it webhooks are refused.",
    )
    heartbeat_token: SecretStr | None = Field(
        default=None,
        description="The bearer token that jobs send with their heartbeats; without it these are refused.",
    )
    flags_token: SecretStr | None = Field(
        default=None,
        description="The bearer token that services send to ask for a flag; without it they are refused.",
    )
    lease_token: SecretStr | None = Field(
        default=None,
        description="The bearer token that a load balancer sends when it asks for a canary's lease; "
        "without it the check is refused, and no canary with a lease gets traffic.",
    )
    lease_s: float = Field(
        default=10,
        gt=0,
        le=600,
        description="Seconds without a heartbeat after which other workers take over a worker's runs.",
    )
    drain_s: float = Field(
        default=20,
        ge=0,
        le=600,
        description="Seconds that a stopping worker gives its work in progress before it hands it over.",
    )
    reconcile_s: float = Field(
        default=30,
        gt=0,
        le=3600,
        description="Seconds between two checks for runs missing from the queues, which are requeued.",
    )
    min_replicas: int = Field(
        default=0,
        ge=0,
        le=10,
        description="How many replicas must hold an approval, or the intent of an effect, before it counts.",
    )
    watch_s: float = Field(
        default=600, gt=0, le=86_400, description="Seconds for which a fix is watched after it was verified."
    )
    worker_concurrency: int = Field(
        default=50, ge=1, le=10_000, description="How many runs of each lane one worker advances at a time."
    )
    check_concurrency: int = Field(
        default=200, ge=1, le=10_000, description="How many monitors one worker checks at a time."
    )
    service_readers: int = Field(
        default=8, ge=1, le=1000, description="How many runs may read the sources of one service at a time."
    )
    most_waiting: int = Field(
        default=10_000,
        ge=1,
        description="How many requests may wait; beyond that, new ones are refused with a message.",
    )
    retention_days: int = Field(
        default=30, ge=1, le=3650, description="How many days a finished run is kept."
    )
    deployment_retention_days: int = Field(
        default=400, ge=1, le=3650, description="How many days the record of a deployment is kept."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="`json`: one object a line; `console`: for people, in colour."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The lowest level of log lines that are written."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read constructor arguments only; the caller decides where values come from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    def require(self, *names: str) -> None:
        """Raise unless these optional settings are set.

        Raises:
            SettingsError: some are not set; the message names them all.
        """
        missing = [variable(name) for name in names if not getattr(self, name)]
        if missing:
            raise SettingsError(f"{_listed(missing)} must be set.")

    def require_slack(self) -> None:
        """Raise unless everything that the Slack mode needs is set.

        Raises:
            SettingsError: something is not set.
        """
        second = "slack_app_token" if self.slack_mode == "socket" else "slack_signing_secret"
        self.require("slack_bot_token", second)


def variable(field: str) -> str:
    """Return the name of a field's environment variable."""
    return f"{PREFIX}{field.upper()}"


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment; an empty variable counts as not set.

    Raises:
        SettingsError: a variable is misspelt or its value is invalid; the message has all problems, no value.
    """
    problems = list(_misspelt(environ))
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environ.items() if value}
    try:
        settings = Settings(**source())
    except ValidationError as error:
        problems += _misfits(error)
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _misspelt(environ: Mapping[str, str]) -> Iterable[str]:
    known = {variable(field) for field in Settings.model_fields}
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name not in known:
            yield f"{name} is not a setting{did_you_mean(name, known)}."


def _misfits(error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        message: str = problem["msg"]
        message = message.removeprefix("Value error, ")
        yield f"{variable(str(problem['loc'][0]))}: {message[:1].lower()}{message[1:]}."


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
