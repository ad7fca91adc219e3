"""The formats that receivers expect: body, headers, signature and success rule of each.

A new one is a module here, a file of names in the catalogue, and a line in `registry.FORMATS`.
When a request is sent, and to whom, is not known here.
"""
