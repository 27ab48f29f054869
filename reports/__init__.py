"""`Comparison` → Markdown and self-contained HTML. Knows nothing of how a run happens.

Sections say what a report holds (`section`, `sections`); two renderers draw the same list.
"""

from reports.all_rows import Browser
from reports.render_html import html
from reports.render_markdown import markdown, plot_files, whole_markdown

__all__ = ["Browser", "html", "markdown", "plot_files", "whole_markdown"]
