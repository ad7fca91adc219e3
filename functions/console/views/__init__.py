"""What the console's pages show, and in which words.

Who may see a page, and at which path, is the page's own.
"""
