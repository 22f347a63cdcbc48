"""Keys that come too early are dropped as the bursts in which they are typed."""

from __future__ import annotations

import asyncio
import os
import time

from agent.ui.application import Timing
from agent.ui.haste import Haste

TIMING = Timing(grace_seconds=0.05, pause_seconds=0.1)


def test_decisions_wait_for_a_grace_and_a_burst_for_a_pause() -> None:
    async def story() -> None:
        haste = Haste(TIMING)
        assert not haste.early
        haste.drawn()
        assert haste.early
        assert not haste.burst
        await asyncio.sleep(0.08)
        assert not haste.early
        haste.dropped()
        for _ in range(4):
            assert haste.early
            assert haste.burst
            haste.dropped()
            await asyncio.sleep(0.04)
        await asyncio.sleep(0.1)
        assert not haste.early
        assert not haste.burst

    asyncio.run(story())


def test_a_drawing_that_takes_longer_than_the_pause_ends_no_burst() -> None:
    """What was typed meanwhile waits in the descriptor, and is read before the timer fires."""

    async def story() -> list[bool]:
        haste = Haste(TIMING)
        loop = asyncio.get_running_loop()
        seen: list[bool] = []
        reading, writing = os.pipe()
        loop.add_reader(reading, lambda: (os.read(reading, 1), seen.append(haste.burst)))
        haste.dropped()
        os.write(writing, b"y")
        time.sleep(0.3)
        await asyncio.sleep(0.05)
        loop.remove_reader(reading)
        os.close(reading)
        os.close(writing)
        return seen

    assert asyncio.run(story()) == [True]
