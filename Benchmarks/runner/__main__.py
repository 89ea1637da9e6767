"""python -m runner."""

import sys

from .main import main
from .servers import Failure

try:
    sys.exit(main())
except Failure as failure:
    sys.exit(f"bench: {failure}")
