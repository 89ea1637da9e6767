"""More clients than descriptors: the server neither spins nor gives up."""

import resource
import time

from support import frames
from support.deadline import eventually
from support.process import cpu_seconds, descriptor_count
from support.raw import RawConnection, open_websocket, upgrade_request

LIMIT = 40
CLIENTS = 80


def test_without_descriptors_it_waits_quietly_and_recovers_when_clients_leave(fresh_bench):
    before = descriptor_count(fresh_bench.pid)
    resource.prlimit(fresh_bench.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    clients = [RawConnection(fresh_bench.port) for _ in range(CLIENTS)]
    for client in clients:
        client.send(upgrade_request())
    eventually(lambda: descriptor_count(fresh_bench.pid) >= LIMIT - 2, "the descriptors are used up")

    # Measured over a second in which there is nothing that the server could do.
    used_before = cpu_seconds(fresh_bench.pid)
    time.sleep(1)
    assert cpu_seconds(fresh_bench.pid) - used_before < 0.3

    # Those that are connected are served as ever.
    served = clients[0]
    assert served.read_response().status == 101
    served.send_frame(frames.TEXT, b"hello")
    assert served.read_frame().payload == b"hello"

    for client in clients[1:]:
        client.socket.close()
    with open_websocket(fresh_bench.port) as newcomer:
        newcomer.send_frame(frames.TEXT, b"room again")
        assert newcomer.read_frame().payload == b"room again"
    served.socket.close()
    eventually(lambda: descriptor_count(fresh_bench.pid) == before, "every descriptor is given back")
