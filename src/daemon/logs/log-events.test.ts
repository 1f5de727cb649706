// Log lines of a running gateway, as programs read them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { unprotectedInvalidSpi } from '#unknown-spi';
import type { IkeSpi } from '#wire';
import { eventually, twoGateways } from '../testing/two-gateways.ts';
import { Log } from './log.ts';
import { jsonFormat } from './log-format.ts';

interface Line {
  readonly event: string;
  readonly incident?: string;
  readonly [name: string]: unknown;
}

const documented = new Set(
  [
    ...readFileSync(new URL('../../../docs/logs.md', import.meta.url), 'utf8').matchAll(
      /^\| (`[^|]*`) +\|/gm,
    ),
  ].flatMap(([, names = '']) => [...names.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name)),
);

/** The kinds of a union, as its source writes them. */
function kindsOf(file: string, union: string, end: string): string[] {
  const source = readFileSync(new URL(`../../../src/${file}`, import.meta.url), 'utf8');
  const from = source.indexOf(`export type ${union} =`);
  const text = source.slice(from, source.indexOf(end, from));
  return [...text.matchAll(/readonly kind: ((?:'[\w-]+'(?: \| )?)+)/g)].flatMap(([, names = '']) =>
    [...names.matchAll(/'([\w-]+)'/g)].map(([, name = '']) => name),
  );
}

test('docs/logs.md names every event, and none that there is not', () => {
  const engine = kindsOf('engine/interface.ts', 'EngineEvent', '\n/**\n');
  const ike = kindsOf('ike/interface.ts', 'IkeEvent', '/** One line for tshark');
  assert.ok(engine.length > 10 && ike.length > 10);
  const all = [...engine.filter((kind) => kind !== 'ike'), ...ike, 'lines-left-out', 'message'];
  assert.deepEqual([...documented].sort(), [...new Set(all)].sort());
});

test('what belongs to one incident carries its id, and what does not carries none', async (t) => {
  const lines: Line[] = [];
  const log = new Log('trace', { write: (line) => lines.push(JSON.parse(line)), format: jsonFormat() });
  const { left, ports, sendForged } = await twoGateways(t, { log });
  const outboundSpi = left.status().engine.ikeSas[0]?.children[0]?.outboundSpi ?? 0;
  const spis = { initiatorSpi: '1111111111111111' as IkeSpi, responderSpi: '0000000000000000' as IkeSpi };
  const forged = unprotectedInvalidSpi(outboundSpi, spis, []);
  // From an address of nobody: it fits nothing, and leads to nothing.
  await sendForged('127.0.0.3', '127.0.0.1', ports.ike, forged);
  await eventually(() => lines.find(({ event }) => event === 'hint'));
  await sendForged('127.0.0.2', '127.0.0.1', ports.ike, forged);
  await eventually(() => lines.find(({ event }) => event === 'liveness-confirmed'));
  const hints = lines.filter(({ event }) => event === 'hint');
  assert.deepEqual(
    hints.map(({ outcome, incident }) => [outcome, incident]),
    [
      ['spi-of-another-peer', undefined],
      ['check', '1-1'],
    ],
  );
  assert.equal(hints[1]?.['spi'], outboundSpi.toString(16).padStart(8, '0'));
  assert.equal(lines.find(({ event }) => event === 'liveness-confirmed')?.incident, '1-1');
  assert.equal(lines.find(({ event }) => event === 'ike-established')?.incident, undefined);
  for (const { event } of lines) assert.ok(documented.has(event), event);
});
