"""Run folders of one task, made on several machines, as one run folder."""
