"""A third interpreter of `RunInputs`: plain, slow, written from `docs/rules.md`, importing nothing of the engine."""
