"""Code or natural language: training text that any machine has, two recipes, and the measures of a trained model."""
