"""The datasets of Pythia's memorization that are published on the Hugging Face hub, landed under one command."""
