"""From scores, bounds, costs and requirements to a recommendation, and what would change it."""
