"""The console's pages: one module for each part of the navigation, with its paths and forms.

What they show is made in views.
"""
