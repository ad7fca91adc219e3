"""The gaps of the pinned emulator that Perkwire needs closed, one module each.

Each module says which documented AWS behaviour it restores, or what a machine with few cores needs,
and is held to that by a test in `tests/local/`. Drop one when the emulator passes it without.
"""

from infra.local.patches import (
    delete_message_again,
    event_source_numbers,
    few_batches,
    function_interpreter,
    http_api_bodies,
    http_api_errors,
    http_api_routes,
    log_drain,
    longest_delay,
    message_move_tasks,
    partial_batch_response,
    queue_lock,
    shared_code,
    table_time_to_live,
    visibility_limits,
)

PATCHES = (
    http_api_routes,
    http_api_errors,
    http_api_bodies,
    event_source_numbers,
    few_batches,
    partial_batch_response,
    table_time_to_live,
    message_move_tasks,
    delete_message_again,
    visibility_limits,
    longest_delay,
    # After the four above, whose queue actions it locks too.
    queue_lock,
    function_interpreter,
    shared_code,
    log_drain,
)


def apply_all() -> None:
    """Close every gap, or raise `UpstreamChangedError` before the emulator serves anything."""
    for patch in PATCHES:
        patch.apply()
