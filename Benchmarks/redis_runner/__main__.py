import sys

from runner.servers import Failure

from .main import main

try:
    sys.exit(main())
except Failure as failure:
    sys.exit(f"bench-redis: {failure}")
