"""What the site is made of beside its pages: the reference, written by the program's own objects.

mkdocs.yml --on_config--> its navigation, ``FOLDER/*`` written out
           --on_files---> reference/*.md, from commands, models and price books as they are
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import commands_page
import files_page
import prices_page
import python_page
import quantities_page
import scenario_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGES: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands_page.page,
    "reference/scenario.md": scenario_page.page,
    "reference/prices.md": prices_page.page,
    "reference/quantities.md": quantities_page.page,
    "reference/files.md": files_page.page,
    "reference/python.md": python_page.page,
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Write out the folders of the navigation."""
    config.nav = [_written_out(entry, Path(config.docs_dir)) for entry in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the reference."""
    for at, page in PAGES.items():
        files.append(File.generated(config, at, content=page()))
    return files


def _written_out(entry: Any, docs: Path) -> Any:
    """An entry of the navigation; one that ends in ``/*`` as all pages of that folder, by name."""
    if not isinstance(entry, dict):
        return entry
    ((title, at),) = entry.items()
    if not isinstance(at, str) or not at.endswith("/*"):
        return entry
    return {title: [str(page.relative_to(docs)) for page in sorted((docs / at[:-2]).glob("*.md"))]}
