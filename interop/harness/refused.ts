// A tunnel that must not come up, and what wayward says about it.
import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import type { Stage } from './stage.ts';

/** What an operator of wayward reads. */
export interface Refusal {
  /** The answer to `wayward up`. */
  readonly asInitiator: RegExp;
  /** A line of the log. */
  readonly asResponder: RegExp;
}

/** Tries to bring the Child SA `net` up: it fails, wayward says why, and nothing of it is left. */
export async function refused(stage: Stage, refusal: Refusal): Promise<void> {
  await stage.start();
  const attempt = stage.initiator.up('net');
  if (stage.role === 'initiator') {
    await assert.rejects(attempt, (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, refusal.asInitiator);
      return true;
    });
  } else {
    await assert.rejects(attempt);
    await stage.wayward.waitForLog(refusal.asResponder);
  }
  await eventually('no Child SA stands', async () => {
    const sas = await Promise.all(stage.peers.map((peer) => peer.ikeSas()));
    return sas.flat().every(({ children }) => children.length === 0);
  });
}
