"""What carries the console's pages: requests, forms, sessions, templates, files and headers.

What a page is about is not known here.
"""
