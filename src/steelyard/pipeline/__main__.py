"""``python -m steelyard.pipeline``: a sender process (see ``sender``)."""

import sys

from steelyard.pipeline.sender import main

sys.exit(main())
