// The registry over real sockets: who serves, who follows, who is turned away.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { claimsOf, noClaims } from '#unknown-spi';
import { OwnerLink, type OwnerLinkView } from './owner-link.ts';

let names = 0;

function freshPath(): string {
  return `\0wayward-owners-test-${process.pid}-${++names}`;
}

class Member {
  readonly name: string;
  readonly link: OwnerLink;
  readonly problems: string[] = [];
  view: OwnerLinkView | undefined;
  #wake: () => void = () => undefined;

  constructor(t: TestContext, path: string, name: string) {
    this.name = name;
    const identity = { name, claims: noClaims, blocksWanted: 32 };
    const changed = (view: OwnerLinkView): void => {
      this.view = view;
      this.#wake();
    };
    const problem = (text: string): void => {
      this.problems.push(text);
      this.#wake();
    };
    this.link = new OwnerLink(identity, { changed, problem }, path);
    this.link.start();
    t.after(() => this.link.stop());
  }

  get blocks(): readonly number[] {
    return this.view?.owners.find(({ name }) => name === this.name)?.claims.blocks ?? [];
  }

  crashed(name: string): boolean | undefined {
    const owner = this.view?.owners.find((one) => one.name === name);
    return owner === undefined ? undefined : owner.expiresAt !== undefined;
  }

  async until(what: () => boolean): Promise<void> {
    const limit = AbortSignal.timeout(60_000);
    while (!what()) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        limit.addEventListener('abort', () => reject(new Error(`never: ${what}`)), { once: true });
        // Nothing else may keep this process awake.
        setTimeout(resolve, 50);
      });
    }
  }
}

test('the first serves, the second follows, and takes over when the first ends', async (t) => {
  const path = freshPath();
  const first = new Member(t, path, 'first');
  await first.until(() => first.blocks.length === 32);
  const second = new Member(t, path, 'second');
  await second.until(() => second.blocks.length === 32);
  assert.equal(second.view?.server, 'first');
  const { blocks } = second;
  const claimed = first.view?.owners.flatMap(({ claims }) => claims.blocks) ?? [];
  const free = Array.from({ length: 256 }, (_, block) => block).find((block) => !claimed.includes(block));
  const single = free! * 2 ** 24 + 0x34_5678;
  second.link.holdSingly([single]);
  await first.until(() => first.view?.owners.some(({ claims }) => claims.spis.includes(single)) === true);
  await first.link.stop();
  await second.until(() => second.view?.server === 'second');
  assert.equal(second.crashed('first'), undefined);
  assert.deepEqual(second.blocks, blocks);
});

/** A registry daemon that can be killed. */
async function killable(t: TestContext, path: string, name: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./testing/member.js', import.meta.url)), path.slice(1), name],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

for (const victim of ['server', 'member'] as const) {
  test(`a killed ${victim} leaves a tombstone, and its restarted self has its blocks again`, async (t) => {
    const path = freshPath();
    const before = victim === 'server' ? await killable(t, path, 'victim') : undefined;
    const witness = new Member(t, path, 'witness');
    await witness.until(() => witness.blocks.length === 32);
    const killed = before ?? (await killable(t, path, 'victim'));
    await witness.until(() => witness.crashed('victim') === false);
    const claims = witness.view?.owners.find(({ name }) => name === 'victim')?.claims;
    assert.equal(claims?.blocks.length, 32);
    killed.kill('SIGKILL');
    await witness.until(() => witness.view?.server === 'witness' && witness.crashed('victim') === true);
    await killable(t, path, 'victim');
    await witness.until(() => witness.crashed('victim') === false);
    const again = witness.view?.owners.find(({ name }) => name === 'victim')?.claims;
    assert.deepEqual(again, claims);
  });
}

test('two daemons of one name: the second is refused, and comes in once the first has gone', async (t) => {
  const path = freshPath();
  const first = new Member(t, path, 'same');
  await first.until(() => first.blocks.length > 0);
  const second = new Member(t, path, 'same');
  await second.until(() => second.problems.length > 0);
  assert.match(second.problems[0]!, /refuses same: name-in-use/);
  assert.equal(second.view, undefined);
  await first.link.stop();
  await second.until(() => second.blocks.length > 0);
});

test('nonsense and endless lines end the connection and change nothing', async (t) => {
  const path = freshPath();
  const server = new Member(t, path, 'server');
  await server.until(() => server.blocks.length > 0);
  for (const text of ['nonsense\n', '{"kind":"hold"}\n', 'x'.repeat(2_000_000)]) {
    const client = connect(path);
    client.on('error', () => undefined);
    client.resume();
    client.write(text);
    // Octets that nobody read any more may be told as an error first.
    await new Promise((resolve) => client.once('close', resolve));
  }
  assert.deepEqual(
    server.view?.owners.map(({ name }) => name),
    ['server'],
  );
});

const needsRoot = process.getuid?.() === 0 ? false : 'needs root';

test('another user is turned away', { skip: needsRoot }, async (t) => {
  const path = freshPath();
  const server = new Member(t, path, 'server');
  await server.until(() => server.blocks.length > 0);
  const hold = { kind: 'hold', name: 'stranger', claims: claimsOf([1, 2], []), blocksWanted: 200 };
  const code = `const c = require('node:net').connect('\\0' + ${JSON.stringify(path.slice(1))});
    c.on('error', () => undefined); c.on('data', () => process.exit(7)); c.on('close', () => process.exit(3));
    c.write(${JSON.stringify(`${JSON.stringify(hold)}\n`)});`;
  const stranger = spawn(process.execPath, ['-e', code], { uid: 65_534, gid: 65_534, stdio: 'inherit' });
  const [status] = await once(stranger, 'exit');
  assert.equal(status, 3);
  await server.until(() => server.problems.length > 0);
  assert.match(server.problems[0]!, /belongs to user 65534/);
  assert.equal(server.crashed('stranger'), undefined);
});

test('a registry that another user serves is not believed', { skip: needsRoot }, async (t) => {
  const path = freshPath();
  const code = `require('node:net').createServer((c) => c.on('error', () => undefined))
    .listen('\\0' + ${JSON.stringify(path.slice(1))}, () => console.log('listening'));`;
  const squatter = spawn(process.execPath, ['-e', code], {
    uid: 65_534,
    gid: 65_534,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => squatter.kill('SIGKILL'));
  await once(squatter.stdout, 'data');
  const daemon = new Member(t, path, 'daemon');
  await daemon.until(() => daemon.problems.length > 0);
  assert.match(daemon.problems[0]!, /served by somebody else: process \d+ belongs to user 65534/);
  assert.equal(daemon.view, undefined);
  squatter.kill('SIGKILL');
  await daemon.until(() => daemon.view?.server === 'daemon');
});

test('a server that says nothing of ours is left', async (t) => {
  const path = freshPath();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('{"kind":"table"}\n');
  });
  server.listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  const daemon = new Member(t, path, 'daemon');
  await daemon.until(() => daemon.problems.length > 0);
  assert.match(daemon.problems[0]!, /another language/);
});
