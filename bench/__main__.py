"""`make bench`: every benchmark, one after the other."""

from bench import (
    bench_contracts,
    bench_cpu,
    bench_dispatcher,
    bench_filter,
    bench_first_call,
    bench_idle,
    bench_imports,
    bench_isolation,
    bench_load,
    bench_send,
)

bench_send.main()
print()
bench_contracts.main()
print()
bench_dispatcher.main()
print()
bench_filter.main()
print()
bench_imports.main()
print()
bench_first_call.main()
print()
bench_cpu.main()
print()
bench_load.main()
print()
bench_isolation.main()
print()
bench_idle.main()
