import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EchoTraffic } from './echo-traffic.ts';

/** Two hosts that ping each other through a tunnel, which may lose what they send. */
function hosts() {
  const kept: Uint8Array[] = [];
  const link = {
    loses: false,
    keeps: false,
    lost: [] as number[],
    deliver: (...which: readonly number[]) => {
      link.keeps = false;
      for (const i of which) right.receive(kept[i]!);
    },
  };
  const left: EchoTraffic = new EchoTraffic('10.1.0.1', '10.2.0.1', {
    send: (packet) => {
      if (link.keeps) kept.push(packet);
      else if (!link.loses) right.receive(packet);
    },
    answered: (lost) => link.lost.push(lost),
  });
  const right: EchoTraffic = new EchoTraffic('10.2.0.1', '10.1.0.1', {
    send: (packet) => left.receive(packet),
    answered: () => undefined,
  });
  return { left, link };
}

test('given pings without an answer, the next answer says how many, and the one after it none', () => {
  const { left, link } = hosts();
  left.ping();
  left.ping();
  link.loses = true;
  left.ping();
  left.ping();
  link.loses = false;
  left.ping();
  left.ping();
  assert.deepEqual(link.lost, [0, 0, 2, 0]);
});

test('given an answer that comes twice or late, nothing is said of it', () => {
  const { left, link } = hosts();
  link.keeps = true;
  for (let i = 0; i < 3; i++) left.ping();
  link.deliver(0, 2, 2, 1);
  assert.deepEqual(link.lost, [0, 1]);
});

test('given more pings than ICMP can number, nothing is lost where the numbers begin again', () => {
  const { left, link } = hosts();
  for (let i = 0; i < 65_540; i++) left.ping();
  assert.equal(link.lost.length, 65_540);
  assert.ok(link.lost.every((lost) => lost === 0));
});

test('given a fresh Child SA before the forgotten one goes, pings go on; without any they wait', () => {
  const { left } = hosts();
  left.pingIfUp();
  assert.equal(left.counters.requestsSent, 0);
  left.childUp(1);
  left.childUp(2);
  left.childDown(1);
  left.pingIfUp();
  assert.equal(left.counters.requestsSent, 1);
  left.childDown(2);
  left.pingIfUp();
  assert.equal(left.counters.requestsSent, 1);
});
