"""Reports as files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from int8rt.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from int8rt.verify.report.document import Document


@dataclass(frozen=True, slots=True)
class Files:
    """Where to write a document, None for nowhere."""

    html: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None

    def __bool__(self) -> bool:
        return any((self.html, self.junit, self.markdown))

    def check(self) -> None:
        """Raises `InputError` where a file cannot be written, before hours of work are spent on what it is to hold."""
        for path in (self.html, self.junit, self.markdown):
            if path is None:
                continue
            if path.is_dir():
                raise InputError(f"{path} is a folder, expected the name of a file to write")
            if not path.parent.is_dir():
                raise InputError(f"the report {path} cannot be written: there is no folder {path.parent}")
            if not os.access(path if path.exists() else path.parent, os.W_OK):
                raise InputError(f"the report {path} cannot be written: no permission")

    def write(self, document: Callable[[], Document]) -> None:
        """Write what is wanted; the document is made only where something is.

        Markdown is added to the file that GITHUB_STEP_SUMMARY names, which may hold what other commands wrote; other
        files are replaced.
        """
        if not self:
            return
        made = document()
        if self.html is not None:
            from int8rt.verify.report.html import html

            self.html.write_text(html(made), encoding="utf-8")
        if self.junit is not None:
            from int8rt.verify.report.junit import junit

            self.junit.write_text(junit(made), encoding="utf-8")
        if self.markdown is not None:
            from int8rt.verify.report.markdown import markdown

            added = str(self.markdown) == os.environ.get("GITHUB_STEP_SUMMARY")
            with self.markdown.open("a" if added else "w", encoding="utf-8") as file:
                file.write(markdown(made))
