"""`make bench`: every benchmark, one after the other."""

from bench import bench_send

bench_send.main()
