"""Runs one service of the shop, the one that the environment names."""

from __future__ import annotations

import importlib
import os

from demo.shop.services.config import ServiceConfig

MODULES = {
    "storefront": "storefront",
    "checkout": "checkout",
    "payments": "payments",
    "bank": "bank",
    "bank-backup": "bank",
}


def main() -> None:
    """Serve until SIGTERM."""
    config = ServiceConfig.from_environment(os.environ)
    # Only the module that is needed: a bank that loads a database driver starts later and weighs more.
    module = importlib.import_module(f"demo.shop.services.{MODULES[config.name]}")
    module.build(config).run()


if __name__ == "__main__":
    main()
