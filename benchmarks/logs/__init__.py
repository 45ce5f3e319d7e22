"""Reading logs, verdicts and recovered schedules: figures beside the report, each by its own command."""
