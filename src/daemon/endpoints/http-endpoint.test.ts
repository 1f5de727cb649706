// The HTTP side against a running gateway: what docs/openapi.json says is what is served, and to nobody else.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Incident, Snapshot, UnknownSpi } from '#control';
import { unprotectedInvalidSpi } from '#unknown-spi';
import type { IkeSpi } from '#wire';
import type { Daemon, DaemonOptions } from '../daemon.ts';
import { Log } from '../logs/log.ts';
import { keptToken, newToken, openApiDocument } from '../page.ts';
import { eventually, type TwoGateways, twoGateways } from '../testing/two-gateways.ts';

interface Operation {
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema: object }>>;
interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: object; readonly responses: Operation['responses'] };
}

const document = JSON.parse(openApiDocument()) as OpenApi;
const token = newToken();

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function fetchFrom(options: RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({ agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

class Client {
  readonly #port: number;
  readonly #asked = new Set<string>();

  constructor(daemon: Daemon) {
    this.#port = Number(new URL(daemon.pageUrl ?? '').port);
  }

  raw(path: string, options: RequestOptions = {}, body = ''): Promise<Answer> {
    return fetchFrom({ host: '127.0.0.1', port: this.#port, path, ...options }, body);
  }

  /** Asks with the token, and compares the answer with what the document says of it. @param named as the document has it */
  async documented(named: string, path: string, method = 'GET', body = ''): Promise<Answer> {
    const answer = await this.raw(path, { method, headers: { authorization: `Bearer ${token}` } }, body);
    const operation = document.paths[named]?.[method.toLowerCase()];
    assert.ok(operation !== undefined, `${method} ${named} is not in the document`);
    const response = operation.responses[String(answer.status)];
    assert.ok(
      response !== undefined,
      `${method} ${named} answers ${answer.status}, which is not in the document`,
    );
    const said =
      response.$ref === undefined
        ? response
        : document.components.responses[response.$ref.split('/').at(-1) ?? ''];
    const type = String(answer.headers['content-type']).split(';')[0] ?? '';
    const schema = said?.content?.[type]?.schema;
    assert.ok(schema !== undefined, `${named} answers with ${type}, which is not in the document`);
    if (type === 'application/json') assertFits(schema, JSON.parse(answer.body));
    this.#asked.add(`${method} ${named}`);
    return answer;
  }

  /** What the document has and nobody has asked for. */
  unasked(): string[] {
    return Object.entries(document.paths)
      .flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
      )
      .filter((one) => !this.#asked.has(one));
  }
}

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'document', components: document.components });

function validator(schema: object): ValidateFunction {
  return ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object);
}

function assertFits(schema: object, value: unknown): void {
  const fits = validator(schema);
  assert.ok(fits(value), ajv.errorsText(fits.errors));
}

const onLoopback: Partial<DaemonOptions> = {
  http: { listen: { kind: 'loopback', address: '127.0.0.1', port: 0 }, token },
};

/** A stray ESP packet of a stranger, and a forged hint, which leads to a liveness check. */
async function provoke({ left, ports, sendForged }: TwoGateways): Promise<void> {
  const esp = Uint8Array.of(0xc0, 0xff, 0xee, 0, 0, 0, 0, 1, ...new Array(120).fill(7));
  await sendForged('127.0.0.3', '127.0.0.1', ports.natTraversal, esp);
  const outboundSpi = left.status().engine.ikeSas[0]?.children[0]?.outboundSpi ?? 0;
  const spis = { initiatorSpi: '1111111111111111' as IkeSpi, responderSpi: '0000000000000000' as IkeSpi };
  await sendForged('127.0.0.2', '127.0.0.1', ports.ike, unprotectedInvalidSpi(outboundSpi, spis, []));
}

test('every path of docs/openapi.json is served as it says, and holds what happened', async (t) => {
  const gateways = await twoGateways(t, onLoopback);
  const client = new Client(gateways.left);
  await provoke(gateways);

  const incident = await eventually(async () => {
    const { body } = await client.documented('/api/v1/incidents', '/api/v1/incidents');
    return (JSON.parse(body) as Incident[]).find(({ state }) => state === 'peer-alive');
  });
  assert.equal(incident.connection, 'demo');
  // The tunnel may have come up so shortly before that its exchanges are part of the picture.
  const told = incident.entries.map(({ kind, title }) => `${kind} ${title}`);
  assert.deepEqual(told.slice(told.findIndex((title) => title.includes('INVAL_SPI'))), [
    'message INFORMATIONAL request 0 [ N(INVAL_SPI) ]',
    'hint invalid-spi: check',
    'message INFORMATIONAL request 2 [ SK ]',
    'message INFORMATIONAL response 2 [ SK ]',
    'change peer is alive',
  ]);
  assert.ok(incident.rttMs !== undefined && incident.rttMs > 0);
  assert.equal(incident.exchanges, told.filter((one) => /^message .* response /.test(one)).length);
  const one = '/api/v1/incidents/{id}';
  assert.equal((await client.documented(one, `/api/v1/incidents/${incident.id}`)).status, 200);
  assert.equal((await client.documented(one, '/api/v1/incidents/9-9')).status, 404);

  // Not before: what is sent and not answered leads to checks too.
  gateways.ping(5);
  const snapshot = await eventually(async () => {
    const { body } = await client.documented('/api/v1/snapshot', '/api/v1/snapshot');
    const seen = JSON.parse(body) as Snapshot;
    return seen.hosts[0]?.tunnels[0]?.inbound.packets === 5 ? seen : undefined;
  });
  const [host] = snapshot.hosts;
  assert.equal(host?.tunnels[0]?.outbound.bytes, 5 * 84);
  assert.equal(host?.peers[0]?.identity, 'right.example');
  assert.deepEqual(
    host?.peers[0]?.capabilities.filter(({ has }) => has).map(({ name }) => name),
    ['ticket-held', 'message-id-sync', 'fragmentation'],
  );
  assert.equal(snapshot.demonstration, false);

  const strays = await client.documented('/api/v1/unknown-spis', '/api/v1/unknown-spis');
  const [stray] = JSON.parse(strays.body) as UnknownSpi[];
  assert.equal(stray?.spi, 'c0ffee00');
  assert.equal(stray?.verdict, 'notify-unprotected');
  assert.equal(stray?.outcome, 'sent');

  const why = '/api/v1/why/{subject}';
  assert.match((await client.documented(why, '/api/v1/why/c0ffee00')).body, /never ours, or forgotten/);
  assert.match((await client.documented(why, '/api/v1/why/last')).body, /of the peer of demo/);
  assert.equal(
    (await client.documented('/api/v1/crash', '/api/v1/crash', 'POST', '{"host":"left"}')).status,
    409,
  );
  await client.documented('/api/v1/openapi.json', '/api/v1/openapi.json');
  await client.documented('/metrics', '/metrics');
  assert.deepEqual(client.unasked(), ['GET /api/v1/events']);
});

test('events tell at first what is known, and then what changes', async (t) => {
  const gateways = await twoGateways(t, onLoopback);
  const { port } = new URL(gateways.left.pageUrl ?? '');
  const events: { readonly name: string; readonly data: unknown }[] = [];
  const headers = { authorization: `Bearer ${token}` };
  const call = httpRequest({ host: '127.0.0.1', port, path: '/api/v1/events', headers, agent: false });
  t.after(() => call.destroy());
  call.on('error', () => undefined);
  call.on('response', (response) => {
    assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
    let pending = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      pending += chunk;
      const parts = pending.split('\n\n');
      pending = parts.pop() ?? '';
      for (const part of parts) {
        const [, name = '', data = ''] = /^event: (\S+)\ndata: (.*)$/.exec(part) ?? [];
        events.push({ name, data: JSON.parse(data) });
      }
    });
  });
  call.end();
  await eventually(() => events[0]);
  assert.equal(events[0]?.name, 'snapshot');
  await provoke(gateways);
  const schemas = { snapshot: 'Snapshot', incident: 'Incident', 'unknown-spi': 'UnknownSpi' };
  for (const [name, schema] of Object.entries(schemas)) {
    const event = await eventually(() => events.find((one) => one.name === name));
    assertFits({ $ref: `#/components/schemas/${schema}` }, event.data);
  }
});

test('without the token nothing is told but the page, which holds nothing', async (t) => {
  const { left } = await twoGateways(t, onLoopback);
  const client = new Client(left);
  for (const path of ['/api/v1/snapshot', '/api/v1/events', '/metrics', '/api/v1/why/last']) {
    const answer = await client.raw(path);
    assert.equal(answer.status, 401, path);
    assert.equal(answer.headers['www-authenticate'], 'Bearer realm="wayward"');
    for (const authorization of [
      'Bearer',
      'Bearer x',
      `Basic ${token}`,
      `Bearer ${token}x`,
      `Bearer ${token} x`,
    ])
      assert.equal((await client.raw(path, { headers: { authorization } })).status, 401, authorization);
  }
  const page = await client.raw('/');
  assert.equal(page.status, 200);
  assert.ok(!page.body.includes(token));
});

test('every answer forbids what is not of this origin, and other names for this address are refused', async (t) => {
  const { left } = await twoGateways(t, onLoopback);
  const client = new Client(left);
  for (const path of ['/', '/api/v1/snapshot', '/nowhere', '/%', '/api/v1/why/zzz']) {
    const { headers } = await client.raw(path);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none';/);
    assert.doesNotMatch(policy, /unsafe|http|\*|data:/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
  }
  for (const host of ['evil.example', 'localhost', '127.0.0.1:1']) {
    const answer = await client.raw('/', { headers: { host } });
    assert.ok(answer.status === 403 || answer.status === 400, `${host}: ${answer.status}`);
  }
});

test('methods and bodies that mean nothing are refused, and a long body is not read to its end', async (t) => {
  const { left } = await twoGateways(t, onLoopback);
  const client = new Client(left);
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await client.raw('/api/v1/snapshot', { method: 'DELETE', headers })).status, 405);
  assert.equal((await client.raw('/api/v1/crash', { headers })).status, 405);
  assert.equal((await client.raw('/', { method: 'HEAD' })).body, '');
  await assert.rejects(
    client.raw('/api/v1/crash', { method: 'POST', headers }, 'x'.repeat(1 << 20)),
    /ECONNRESET|EPIPE|socket hang up/,
  );
});

test('only so many streams are served at a time, and one that ends makes room', async (t) => {
  const { left } = await twoGateways(t, onLoopback);
  const { port } = new URL(left.pageUrl ?? '');
  const headers = { authorization: `Bearer ${token}` };
  const open = (): Promise<{ readonly status: number; end(): void }> =>
    new Promise((resolve) => {
      const call = httpRequest({ host: '127.0.0.1', port, path: '/api/v1/events', headers, agent: false });
      call.on('error', () => undefined);
      call.on('response', (response) => {
        response.resume();
        response.on('error', () => undefined);
        resolve({ status: response.statusCode ?? 0, end: () => call.destroy() });
      });
      call.end();
    });
  const streams = await Promise.all(Array.from({ length: 16 }, open));
  assert.ok(streams.every(({ status }) => status === 200));
  assert.equal((await open()).status, 503);
  streams[0]?.end();
  const again = await eventually(async () => {
    const stream = await open();
    return stream.status === 200 ? stream : undefined;
  });
  for (const stream of [...streams, again]) stream.end();
});

test('streams that wait behind another answer of their connection are not there when it is gone', async (t) => {
  const { left } = await twoGateways(t, onLoopback);
  const { port } = new URL(left.pageUrl ?? '');
  const ask = `GET /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\n\r\n`;
  for (let i = 0; i < 4; i++) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
    socket.write(ask.repeat(8));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
  }
  const client = new Client(left);
  const headers = { authorization: `Bearer ${token}` };
  await eventually(async () => {
    const { status } = await client.raw('/api/v1/events', { method: 'HEAD', headers });
    return status === 200 ? true : undefined;
  });
});

test('on a Unix socket, whoever may open it needs no token; nobody else may', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'http');
  const { left } = await twoGateways(t, { http: { listen: { kind: 'path', path }, token } });
  assert.equal(left.pageUrl, undefined);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const answer = await fetchFrom({ socketPath: path, path: '/api/v1/snapshot' });
  assert.equal(answer.status, 200);
  await left.stop();
  assert.throws(() => statSync(path), { code: 'ENOENT' });
});

test('the token of a state folder stays the same, and only its owner can read it', (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const first = keptToken(folder, assert.fail);
  assert.equal(keptToken(folder, assert.fail), first);
  assert.ok(first.length >= 32);
  const file = join(folder, 'http-token');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(readFileSync(file, 'utf8'), `${first}\n`);
});

test('a token that cannot be kept is one of this process', (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'http-token'));
  const said: string[] = [];
  const first = keptToken(folder, ({ message }) => said.push(message));
  assert.ok(first.length >= 32);
  assert.notEqual(
    keptToken(folder, () => undefined),
    first,
  );
  assert.match(said.join(), /^EISDIR/);
});

test('a port that somebody else has is no reason to have no tunnels', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const lines: string[] = [];
  const { left, rekey } = await twoGateways(t, {
    http: { listen: { kind: 'loopback', address: '127.0.0.1', port }, token },
    log: new Log('error', { write: (line) => lines.push(line) }),
  });
  assert.equal(left.pageUrl, undefined);
  assert.match(lines.join('\n'), /error no page, API or metrics: .*EADDRINUSE/);
  await rekey();
});
