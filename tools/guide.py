"""Writes the operator's guide, docs/huong-dan.md, from the words of the help page; `--pictures` takes new screenshots.

The pictures are those that the browser tests made last (tests/out/browser), as small as they can be read.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# The project is not installed beside this file: its folder has to be named first.
from webui.pages.guide import ADMIN, CENTRE, INSPECTOR, LEADER, OFFICER, TASKS  # noqa: E402

GUIDE = ROOT / "docs" / "huong-dan.md"
PICTURES = ROOT / "docs" / "images" / "guide"
MADE = ROOT / "tests" / "out" / "browser"
ROLES = {
    OFFICER: "cán bộ phụ trách đài",
    LEADER: "lãnh đạo duyệt bài",
    CENTRE: "trung tâm",
    INSPECTOR: "cán bộ kiểm tra",
    ADMIN: "quản trị",
}


def text() -> str:
    """Return the guide."""
    lines = [
        "# Hướng dẫn sử dụng",
        "",
        "Trang này được viết ra từ trang Trợ giúp của Loa (`tools/guide.py`), nên hai nơi luôn nói như nhau.",
        "Trên mỗi trang, dấu “?” chỉ ra từng chỗ ngay tại đó.",
        "",
    ]
    for task in TASKS:
        lines += [f"## {task.title.vi}", "", f"Dành cho: {', '.join(ROLES[role] for role in task.roles)}.", ""]
        lines += [f"{number}. {step.vi}" for number, step in enumerate(task.steps, 1)]
        if task.good_to_know is not None:
            lines += ["", f"> {task.good_to_know.vi}"]
        if task.picture and (PICTURES / f"{task.picture}.png").exists():
            lines += ["", f"![{task.title.vi}](images/guide/{task.picture}.png)"]
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Write the guide; 1 where a picture that it wants was not made."""
    missing = []
    if "--pictures" in arguments:
        PICTURES.mkdir(parents=True, exist_ok=True)
        for task in (task for task in TASKS if task.picture):
            made = MADE / f"{task.picture}.png"
            if made.exists():
                shutil.copyfile(made, PICTURES / made.name)
            else:
                missing.append(made.name)
    GUIDE.write_text(text(), "utf-8")
    for name in missing:
        print(f"no picture: {name}; run the browser tests first")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
