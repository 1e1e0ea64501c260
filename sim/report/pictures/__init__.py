"""The pictures of a report: each function draws one `Figure` in one language from plain numbers."""
