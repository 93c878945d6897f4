"""surgenas: a measured, exported image network for your data, your device and your latency limit."""

from surgenas.api import Result, adapt, classify, create_model, load, resume, search
from surgenas.core.errors import SurgenasError

__all__ = ["Result", "SurgenasError", "adapt", "classify", "create_model", "load", "resume", "search"]
__version__ = "0.1.0"
