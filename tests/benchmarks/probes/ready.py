"""Imports a module up to ready, tells what that loaded, and ends without cleaning up.

    ready.py MODULE [PART OF THE ROOT]

A part is what the function's first request would otherwise build.
"""

import importlib
import os
import sys

module = importlib.import_module(sys.argv[1])
if len(sys.argv) > 2:
    getattr(module.handler.services, sys.argv[2])
os.write(1, "\n".join(sorted(sys.modules)).encode())
os._exit(0)
