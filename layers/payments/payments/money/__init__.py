"""Currencies, amounts, exchange rates and fees."""
