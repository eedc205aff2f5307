"""The confined side of printing: takes a paper, and a template that anybody may have written, and gives a file."""

from __future__ import annotations

import os
from collections.abc import Sequence

from audio.child import Job, Progress, Refusal, serve


def work(job: Job, descriptors: Sequence[int], _report: Progress) -> dict[str, object]:
    """Make one file. job: `format` docx or pdf. descriptors: the paper as JSON, the template (docx), the target.

    Raises Refusal `template_wrong` where a tag in the template is wrong; a file that is no template ends the process.
    """
    from pydantic import TypeAdapter

    from webui.papers.paper import Paper

    paper = TypeAdapter(Paper).validate_json(_read(descriptors[0]))
    if job["format"] == "pdf":
        from webui.papers.pdf import printed

        made = printed(paper)
    else:
        made = _docx(paper, _read(descriptors[1]))
    with os.fdopen(os.dup(descriptors[2]), "wb") as target:
        target.write(made)
    return {"size": len(made)}


def _docx(paper: object, template: bytes) -> bytes:
    from jinja2 import TemplateError

    from webui.papers import docx
    from webui.papers.paper import Paper

    assert isinstance(paper, Paper)
    if not template:
        return docx.filled(docx.shipped(paper), docx.context(paper))
    try:
        return docx.filled(template, docx.context(paper))
    except TemplateError as error:
        raise Refusal("template_wrong", said=f"{type(error).__name__}: {error}"[:300]) from error


def _read(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0) if size else b""


if __name__ == "__main__":
    serve(work)
