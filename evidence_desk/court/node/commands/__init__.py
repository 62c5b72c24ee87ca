"""Commands of ``court-node``, by what they are about; ``cli`` puts them together."""
