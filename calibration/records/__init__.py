"""From a folder of incident and unit-response records to clean tables with a written account.

`read_records(folder)` does it all. `schema.py` declares the columns, `rules.py` what is done with faulty rows;
docs/records.md is generated from both. Everything wrong with single rows is in the account, nothing is dropped
silently; what cannot be told from the files is asked for in one error. It knows no city and fits nothing.
"""

from calibration.records.account import Account
from calibration.records.frames import INCIDENT_COLUMNS, RESPONSE_COLUMNS, Records
from calibration.records.read import read_records
from calibration.records.rules import RULES, Rule
from calibration.records.schema import INCIDENTS, RESPONSES, Field, RecordSpec

__all__ = [
    "INCIDENTS",
    "INCIDENT_COLUMNS",
    "RESPONSES",
    "RESPONSE_COLUMNS",
    "RULES",
    "Account",
    "Field",
    "RecordSpec",
    "Records",
    "Rule",
    "read_records",
]
