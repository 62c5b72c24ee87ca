"""What may go wrong with one of four nodes, or between them, with the real engine.

After each: no height has two committed blocks, nothing final is lost or changed, all nodes agree again.
"""

import base64
import os
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import pytest

from evidence_desk.court.node.engine import VARIABLE
from evidence_desk.court.protocol.registry import DESK_ENTRY
from evidence_desk.errors import RemoteError
from tests.integration.court_node.clock import OFFSET, clock_engine
from tests.integration.court_node.faulty import POINTS, fired
from tests.integration.court_node.network import registered, running, wait_until
from tests.integration.court_node.nodes import Nodes, command
from tests.unit.court_node.chain import Desk

pytestmark = pytest.mark.engine
NUMBERS = count()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    with running(Nodes.behind_links(tmp_path_factory.mktemp("court") / "net")) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def desk(nodes):
    return registered(nodes)


@pytest.fixture(autouse=True)
def healthy(nodes):
    """Each test begins and ends with four nodes of one mind."""
    before = nodes.one_history(max([1, *nodes.known]))
    yield
    assert sorted(nodes.processes) == [0, 1, 2, 3]
    top = nodes.top()
    for index in range(4):
        nodes.caught_up(index, top)
    nodes.one_history(before)


def grow(nodes: Nodes, desk: Desk, node: int, blocks: int = 1) -> int:
    """Anchor through a node; the height of the last block."""
    height = 0
    for _ in range(blocks):
        old = len(desk.leaves)
        desk.leaf(b"leaf %d" % old)
        done = nodes.commit(node, desk.submission(old))
        assert done["tx_result"].get("code", 0) == 0
        height = int(done["height"])
    return height


def offer(nodes: Nodes, node: int) -> bytes:
    """Hand a registration to a node that may not be able to have it committed."""
    tx = nodes.approved(Desk(name=f"offered {next(NUMBERS)}", chain_id=nodes.chain_id).registration())
    with suppress(RemoteError):
        nodes.ask(node, "broadcast_tx_sync", tx=base64.b64encode(tx).decode())
    return tx


def found(nodes: Nodes, node: int, tx: bytes) -> bool:
    return nodes._found(node, tx) is not None


def test_one_of_four_is_killed(nodes, desk):
    nodes.kill_node(3)
    height = grow(nodes, desk, 0, 3)
    assert nodes.live() == [0, 1, 2]
    nodes.one_history(height - 2)
    nodes.start_node(3)
    nodes.caught_up(3, height)


def test_two_of_four_are_killed(nodes):
    """The network stands still, and goes on when one of them is back."""
    nodes.kill_node(2)
    nodes.kill_node(3)
    tx = offer(nodes, 0)
    assert nodes.stands_still()
    nodes.start_node(2)
    wait_until(lambda: nodes._found(0, tx) is not None)
    nodes.start_node(3)


def test_a_partition_into_halves(nodes, desk):
    """It halts on both sides, never forks, and goes on with what was offered meanwhile."""
    grow(nodes, desk, 0)
    nodes.links.cut([0, 1], [2, 3])
    time.sleep(1)
    tx, other = offer(nodes, 0), offer(nodes, 2)
    wait_until(partial(nodes.stands_still, 3.0))
    assert nodes.stands_still(), "with something to decide on both sides"
    assert nodes._found(0, tx) is None
    assert nodes._found(2, other) is None
    nodes.links.heal()
    for index in range(4):
        wait_until(partial(found, nodes, index, tx))
        wait_until(partial(found, nodes, index, other))


def test_one_node_cut_off(nodes, desk):
    nodes.links.cut([0], [1, 2, 3])
    height = grow(nodes, desk, 1, 3)
    assert nodes.height(0) < height
    nodes.links.heal()
    nodes.caught_up(0, height)


def test_the_application_dies_at_each_point_of_a_block(nodes, desk):
    nodes.stop_node(3)
    nodes.start_node(3, faults=POINTS)
    folder = nodes.path / "node3"

    def all_fired() -> bool:
        offer(nodes, 3)
        grow(nodes, desk, 0)
        return fired(folder) == list(POINTS)

    grow(nodes, desk, 0)
    deadline = time.monotonic() + 150
    while not all_fired():
        assert time.monotonic() < deadline, fired(folder)
    nodes.caught_up(3, grow(nodes, desk, 0))
    nodes.stop_node(3)
    nodes.start_node(3)
    nodes.caught_up(3, grow(nodes, desk, 0))


def test_the_engine_is_killed(nodes, desk):
    for index in (1, 2):
        os.kill(nodes.running(index).engine, signal.SIGKILL)
        nodes.caught_up(index, grow(nodes, desk, 0, 2))


def test_a_stopped_process_wakes_up(nodes, desk):
    """An application that hangs (SIGSTOP) holds up its own node alone."""
    pid = nodes.running(2).application
    os.kill(pid, signal.SIGSTOP)
    try:
        height = grow(nodes, desk, 0, 3)
        assert nodes.height(2) < height
    finally:
        os.kill(pid, signal.SIGCONT)
    nodes.caught_up(2, height)


def test_an_application_that_lies_about_its_state(nodes, desk):
    """Its own engine finds out by the next block of the others; nobody follows it. Wiped and honest, it is back."""
    nodes.stop_node(3)
    nodes.start_node(3, faults=["lie"])
    height = grow(nodes, desk, 0, 5)
    assert nodes.height(3) < height
    for index in range(3):
        nodes.caught_up(index, height)
    nodes.one_history(height - 3)
    assert b"wrong Block.Header.AppHash" in nodes.log(3).read_bytes() or nodes.running(3).restarts
    nodes.stop_node(3)
    command("resync", "--dir", nodes.path / "node3", "--yes")
    nodes.start_node(3)
    nodes.caught_up(3, height)


def mounts() -> bool:
    return os.system("unshare -Urm mount -t tmpfs tmpfs /mnt 2>/dev/null") == 0


@pytest.mark.full
@pytest.mark.skipif(not mounts(), reason="no user namespaces here to mount a small disk in")
def test_a_full_disk(nodes, desk):
    """The node fails and starts again until there is room; the others go on; it loses nothing and signs nothing twice."""
    nodes.stop_node(3)
    folder = nodes.path / "node3"
    shell = 'cp -a "$1" "$1.copy"; mount -t tmpfs -o size=64m tmpfs "$1"; cp -a "$1.copy/." "$1"; shift; exec "$@"'
    nodes.start_node(3, prefix=["unshare", "-Urm", "sh", "-ec", shell, "sh", folder])
    nodes.caught_up(3, grow(nodes, desk, 0))
    inside = Path(f"/proc/{nodes.processes[3].pid}/root{folder}")
    filler = inside / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert os.statvfs(inside).f_bavail == 0
    height = grow(nodes, desk, 0, 12)
    nodes.one_history(height - 5)
    wait_until(lambda: nodes.height(3) == 0 or nodes.height(3) < nodes.height(0))
    filler.unlink()
    nodes.caught_up(3, height)
    nodes.one_history(height - 5)
    assert nodes.stop_node(3) == 0
    # The disk went with its processes; what lies under it is older than what the key has signed since.
    command("resync", "--dir", folder, "--yes")
    (folder / "data" / "priv_validator_state.json").write_text(
        f'{{"height": "{nodes.height(0) + 10}", "round": 0, "step": 3}}'
    )
    nodes.start_node(3)


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("offset", [86_400, -86_400])
def test_a_clock_off_by_a_day(nodes, desk, offset):
    """Block times are the median of the votes: one clock moves none of them. Set right, the node is level again."""
    binary = clock_engine()
    if binary is None:
        pytest.skip("no Go here to build an engine with a clock of its own")
    nodes.stop_node(3)
    nodes.start_node(3, env={VARIABLE: str(binary), OFFSET: str(offset)})
    first = grow(nodes, desk, 0)
    wait_until(lambda: nodes.height(3) > 0)
    last = grow(nodes, desk, 0, 10)
    for height in range(first, last + 1):
        told = datetime.fromisoformat(nodes.header(0, height)["time"][:19] + "+00:00")
        assert abs(told - datetime.now(UTC)) < timedelta(minutes=10)
    nodes.one_history(first)
    nodes.stop_node(3)
    nodes.start_node(3)
    nodes.caught_up(3, last)


def kill_at_random(nodes: Nodes, desk: Desk, wanted: int) -> None:
    """kill -9 of any process of any node while checkpoints go on."""
    random = Random(20260302)
    kills = 0
    while kills < wanted:
        running = nodes.running(random.randrange(4))
        victim = random.choice([running.application, running.engine])
        if victim:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
                kills += 1
        old = len(desk.leaves)
        desk.leaf(b"under load %d" % old)
        wait_until(partial(anchored, nodes, desk, desk.submission(old)))


def anchored(nodes: Nodes, desk: Desk, tx: bytes) -> bool:
    """Send again until the network shows it, through whichever node answers."""
    for index in range(4):
        with suppress(RemoteError):  # it is down, or the transaction waits in its pool already
            nodes.ask(index, "broadcast_tx_sync", tx=base64.b64encode(tx).decode())
        with suppress(RemoteError, KeyError):
            entry = nodes.query(index, "/desk", desk.origin.encode())["entry"]
            if DESK_ENTRY.decode(base64.b64decode(entry)).size == len(desk.leaves):
                return True
    return False


def test_random_kills_under_load(nodes, desk):
    kill_at_random(nodes, desk, 10)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_two_hundred_random_kills_under_load(nodes, desk):
    kill_at_random(nodes, desk, 200)
