"""From a name to a model in memory: which weights, where from, and whether they can be packed."""
