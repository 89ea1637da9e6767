"""Ten thousand connections at the same time, twice: nothing is lost and nothing is kept."""

import resource

from support.crowd import Crowd
from support.deadline import eventually
from support.process import descriptor_count, peak_memory

CONNECTIONS = 10_000

# How much the peaks of two equal rounds may differ because of the allocator: a leak of 500 bytes per connection shows.
MARGIN = 5 * 1024 * 1024


def run_round(server):
    descriptors = descriptor_count(server.pid)
    with Crowd(server.port, CONNECTIONS, deadline=25) as crowd:
        assert crowd.open() == CONNECTIONS
        assert descriptor_count(server.pid) == descriptors + CONNECTIONS
        assert crowd.echo() == CONNECTIONS
        assert crowd.close() == CONNECTIONS
    eventually(lambda: descriptor_count(server.pid) == descriptors, "every descriptor is given back")
    return peak_memory(server.pid)


def test_ten_thousand_connections_open_echo_and_close_and_leave_nothing(fresh_bench):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    resource.prlimit(fresh_bench.pid, resource.RLIMIT_NOFILE, (most, most))
    first = run_round(fresh_bench)
    second = run_round(fresh_bench)
    assert second - first < MARGIN
