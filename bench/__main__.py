"""`make bench`: every benchmark, one after the other."""

import sys

from bench import bench_send

sys.exit(bench_send.main())
