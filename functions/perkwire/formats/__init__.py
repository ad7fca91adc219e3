"""The formats that receivers expect: body, headers, signature and success rule of each.

When a request is sent, and to whom, is not known here.
"""
