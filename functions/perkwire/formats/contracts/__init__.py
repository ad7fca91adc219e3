"""Contracts: formats as data. The language, its bounds, and the products that it says.

Not here: what a product's body needs code for (the rooms beside this one), who has which contract
of their own (`managing`), where contracts are stored (`adapters`).
"""
