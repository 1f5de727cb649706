// Metrics against docs/metrics.md and the Grafana dashboard: all that is served is described, and what is drawn is served.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { newToken } from '../page.ts';
import { eventually, type TwoGateways, twoGateways } from '../testing/two-gateways.ts';

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
/** Names, types and labels as the table has them. */
const described = new Map(
  [...document.matchAll(/^\| `(\w+)` +\| (\w+) +\| ([^|]*)\|/gm)].map(([, name = '', type, labels = '']) => [
    name,
    { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort() },
  ]),
);

const token = newToken();

async function scrape({ left }: TwoGateways): Promise<string> {
  const url = new URL('/metrics', left.pageUrl);
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  return answer.text();
}

function seriesValue(text: string, series: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  assert.ok(line !== undefined, `no ${series}`);
  return Number(line.slice(series.length + 1));
}

const options = { http: { listen: { kind: 'loopback', address: '127.0.0.1', port: 0 }, token } } as const;

test('every metric is described with its type and labels, and nothing else is', async (t) => {
  const gateways = await twoGateways(t, options);
  const text = await scrape(gateways);
  const served = new Map(
    [...text.matchAll(/^# TYPE (wayward_\w+) (\w+)$/gm)].map(([, name = '', type]) => [name, type]),
  );
  assert.deepEqual([...served.keys()].sort(), [...described.keys()].sort());
  for (const [name, type] of served) assert.equal(described.get(name)?.type, type, name);
  for (const [, name = '', labels = ''] of text.matchAll(
    /^(wayward_\w+?)(?:_bucket|_sum|_count)?\{(.*)\} /gm,
  )) {
    const known = described.get(name);
    assert.ok(known !== undefined, name);
    const used = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
    assert.deepEqual(used.sort(), known.labels, name);
  }
});

// A counter that is first seen with 1 has not grown, as Prometheus counts: the first case would raise no alarm.
test('what operators have alarms for is zero from the start', async (t) => {
  const text = await scrape(await twoGateways(t, options));
  for (const outcome of ['traffic-back', 'sa-stands', 'child-replaced', 'peer-alive', 'given-up', 'faded'])
    assert.equal(seriesValue(text, `wayward_incidents_total{outcome="${outcome}"}`), 0);
  assert.equal(seriesValue(text, 'wayward_connect_failures_total{connection="demo"}'), 0);
  for (const what of ['ike', 'child'])
    assert.equal(seriesValue(text, `wayward_rekeyings_total{what="${what}"}`), 0);
  assert.equal(seriesValue(text, 'wayward_ike_sas_established_total{how="resumed"}'), 0);
});

test('traffic is counted by configured names, over rekeyings', async (t) => {
  const gateways = await twoGateways(t, options);
  const series = 'wayward_esp_packets_total{connection="demo",child="demo",direction="inbound"}';
  const packets = (count: number): Promise<true> =>
    eventually(async () => (await scrape(gateways)).includes(`${series} ${count}\n`) || undefined);
  gateways.ping(3);
  await packets(3);
  const [ikeSa] = gateways.left.status().engine.ikeSas;
  assert.equal(ikeSa?.children[0]?.generation, 0);
  await gateways.rekey();
  const generation = () => gateways.left.status().engine.ikeSas[0]?.children[0]?.generation;
  await eventually(() => (generation() === 1 ? true : undefined));
  gateways.ping(4);
  await packets(7);
  const text = await scrape(gateways);
  assert.equal(seriesValue(text, 'wayward_rekeyings_total{what="child"}'), 1);
  assert.equal(seriesValue(text, 'wayward_child_sas{connection="demo",child="demo"}'), 1);
  assert.ok(
    seriesValue(
      text,
      'wayward_ike_messages_total{exchange="CREATE_CHILD_SA",role="request",direction="out"}',
    ) >= 1,
  );
});

test('strangers move counters and never add a label of their own, whatever they send', async (t) => {
  const gateways = await twoGateways(t, options);
  const { ports, sendForged } = gateways;
  const lines = async (): Promise<number> => (await scrape(gateways)).split('\n').length;
  const stray = (spi: number): Uint8Array =>
    Uint8Array.of(0xc0, 0xff, spi >> 8, spi & 0xff, 0, 0, 0, 1, ...new Array(24).fill(7));
  /** IKE headers of made-up exchange types. */
  const odd = (exchangeType: number): Uint8Array => {
    const octets = new Uint8Array(28).fill(exchangeType);
    octets.set([46, 0x20, exchangeType, 0x08, 0, 0, 0, 0, 0, 0, 0, 28], 16);
    return octets;
  };
  for (let i = 0; i < 4; i++) {
    await sendForged('127.0.0.3', '127.0.0.1', ports.natTraversal, stray(i));
    await sendForged('127.0.0.3', '127.0.0.1', ports.ike, odd(200 + i));
  }
  const first = await eventually(async () =>
    (await scrape(gateways)).includes('role="request",direction="in"') ? lines() : undefined,
  );
  for (let i = 0; i < 200; i++) {
    await sendForged(`127.0.${1 + (i % 50)}.9`, '127.0.0.1', ports.natTraversal, stray(1_000 + i));
    await sendForged(`127.0.${1 + (i % 50)}.9`, '127.0.0.1', ports.ike, odd(i));
  }
  const text = await eventually(async () => {
    const now = await scrape(gateways);
    const sum = [...now.matchAll(/^wayward_unknown_spi_packets_total\{.*\} (\d+)$/gm)].reduce(
      (all, [, times]) => all + Number(times),
      0,
    );
    return sum >= 204 ? now : undefined;
  });
  assert.ok(text.split('\n').length - first < 100, `${first} lines, then ${text.split('\n').length}`);
  assert.doesNotMatch(text, /127\.0\.|c0ff/);
  const bytes = (direction: string): number =>
    seriesValue(text, `wayward_unauthenticated_bytes_total{direction="${direction}"}`);
  assert.ok(bytes('out') <= bytes('in'));
});

test('the Grafana dashboard draws only metrics that are served', () => {
  const dashboard = readFileSync(new URL('../../../docs/grafana-dashboard.json', import.meta.url), 'utf8');
  const { panels } = JSON.parse(dashboard) as {
    readonly panels: readonly {
      readonly title: string;
      readonly targets?: readonly { readonly expr: string }[];
    }[];
  };
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(expressions.length > 10);
  for (const expression of expressions) {
    for (const [name] of expression.matchAll(/wayward_\w+/g)) {
      const base = name.replace(/_(?:bucket|sum|count)$/, '');
      assert.ok(described.has(name) || described.get(base)?.type === 'histogram', `${name} in ${expression}`);
    }
  }
});
