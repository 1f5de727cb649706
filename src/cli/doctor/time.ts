// Whether certificates and secrets can be trusted to this machine: its clock and its randomness.
import { type Check, check, unseen } from './check.ts';
import type { Machine } from './machine.ts';

/** Nothing that runs this can have been started earlier. */
const earliestMs = Date.UTC(2026, 0, 1);
const latestMs = Date.UTC(2100, 0, 1);

export function checkClock(machine: Machine): Check {
  const now = machine.nowMs();
  const text = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  if (now < earliestMs || now > latestMs) {
    return check(
      'clock',
      'problem',
      `it is ${text} here: no certificate would be valid`,
      'set the clock, and run NTP',
    );
  }
  const synchronised = 'value' in machine.facts('/run/systemd/timesync/synchronized');
  return check('clock', 'ok', synchronised ? `${text}, synchronised` : text);
}

const entropyBitsMin = 128;

export function checkEntropy(machine: Machine): Check {
  const path = '/proc/sys/kernel/random/entropy_avail';
  const text = machine.text(path);
  if ('code' in text) return unseen('entropy', path, text.code);
  const bits = Number(text.value.trim());
  return bits >= entropyBitsMin
    ? check('entropy', 'ok', `${bits} bits`)
    : check(
        'entropy',
        'problem',
        `${bits} bits: keys would wait for randomness`,
        'give a virtual machine a virtio-rng',
      );
}
