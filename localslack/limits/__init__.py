"""What Slack accepts and refuses: blocks, views, attachments, and the text around them."""

from __future__ import annotations

from localslack.limits.messages import check_message
from localslack.limits.views import check_view

__all__ = ["check_message", "check_view"]
