"""From clean records to parameters: pure functions of arrays that return estimates with standard errors."""
