"""The language models whose memory is examined: what memtax knows of each, and how they are registered."""

from memtax.models.describe import ModelDescription, describe_model
from memtax.models.register import Registration, Removal, register_models, remove_models

__all__ = ["ModelDescription", "Registration", "Removal", "describe_model", "register_models", "remove_models"]
