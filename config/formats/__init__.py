"""How dates and numbers look, where Django's own way does not suit."""
