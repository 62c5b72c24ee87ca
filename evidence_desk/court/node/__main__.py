"""``python -m evidence_desk.court.node``: how a supervisor starts its application."""

from evidence_desk.court.node.cli import run

if __name__ == "__main__":
    run()
