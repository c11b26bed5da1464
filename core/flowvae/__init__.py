"""flowvae: true comparisons of neural-audio components.

Importing it costs nothing: torch comes in with the first tensor.
"""

from flowvae.catalogue.hooks import hookimpl

__all__ = ["hookimpl"]
__version__ = "0.1.0"
