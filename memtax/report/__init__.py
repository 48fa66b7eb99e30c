"""The report: one HTML page that holds everything it shows, made from the marts of a store.

`write_report` is the whole interface. `sql/` holds every question that the page asks, `sections/` what it shows of the
answers and how to read it, `findings` says in words what the numbers support, `page` puts it together.
"""

from __future__ import annotations

from memtax.report.write import ReportOptions, write_report

__all__ = ["ReportOptions", "write_report"]
