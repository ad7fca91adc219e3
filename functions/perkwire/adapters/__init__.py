"""What the rooms below have named as protocols, by AWS and by HTTP.

No rule of the domain is here, and no room below imports it.
"""
