"""`Comparison` → Markdown and self-contained HTML. Knows nothing of how a run happens."""

from reports.render import html, markdown

__all__ = ["html", "markdown"]
