"""Environment checks 清洁性检查 of this machine, for Linux and Windows, before and after a capture."""

from evidence_desk.capture.environment.checking import check_environment
from evidence_desk.capture.environment.machine import Machine
from evidence_desk.capture.environment.surroundings import (
    NTP_SERVERS,
    AuthorityClock,
    ClockSources,
    ProgramFacts,
)

__all__ = ["NTP_SERVERS", "AuthorityClock", "ClockSources", "Machine", "ProgramFacts", "check_environment"]
