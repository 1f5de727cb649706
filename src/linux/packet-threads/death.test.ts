// Packet threads that die at some point of their start, or while commands are under way: whoever has them hears of it, nothing that
// was promised is lost, and nothing stays open.
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { address, type SaCommand, type Spi, selectorOfPrefix } from '#sa';
import { dismissPacketThreads, warmUpPacketThreads } from '../early/index.ts';
import type { Death } from '../testing/dying-worker.ts';
import { dummyOn, installation, listening, open } from '../testing/listening.ts';
import { TunDevice } from '../tun-device.ts';
import { missingForXfrm } from '../xfrm/testing/missing-for-xfrm.ts';

const dyingWorker = new URL('../testing/dying-worker.js', import.meta.url);
/** The machine may be busy with other tests. */
const timeout = 180_000;

/** The next packet threads that are started, in this order; undefined: one that lives. */
function nextThreads(...deaths: readonly (Death | undefined)[]): void {
  for (const [i, workerData] of deaths.entries())
    warmUpPacketThreads(i + 1, workerData && (() => new Worker(dyingWorker, { workerData })));
}

function policyOf(childId: number): SaCommand {
  const selectors = { local: [selectorOfPrefix('10.0.0.0/8')!], remote: [selectorOfPrefix('10.0.0.0/8')!] };
  const of = { policyId: childId, selectors, priority: 1, childId } as const;
  return { kind: 'install-policy', policy: { action: 'protect', mode: 'tunnel', ...of } };
}

/** How `open` and `listen` say so. */
function diedOf(what: string): { readonly code: string; readonly message: string } {
  return { code: 'died', message: `the packet thread died: ${what}` };
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Tests of which nothing stays open. */
function closingAll(name: string, use: (t: TestContext) => Promise<void>): void {
  test(name, { timeout }, async (t) => {
    // What a process opens once for all its threads is open then.
    if (usual === undefined) await t.test('nobody dies', async (t) => void (await listening(t)));
    usual ??= descriptors();
    await t.test(name, use);
    await dismissPacketThreads();
    assert.equal(descriptors(), usual);
  });
}

let usual: number | undefined;

for (const { threads, dying, byError } of [
  { threads: 1, dying: 0, byError: true },
  { threads: 1, dying: 0, byError: false },
  { threads: 2, dying: 0, byError: false },
  { threads: 2, dying: 1, byError: true },
]) {
  const which = threads === 1 ? 'the one thread' : `thread ${dying} of ${threads}`;
  const how = byError ? 'by an error' : 'at once';
  const dieAt = (kind: Death['kind'], said: boolean, time = 1): void =>
    nextThreads(...Array.from({ length: dying }, () => undefined), { kind, said, byError, time });

  closingAll(`${which} dies ${how} before it is open: that is an error`, async (t) => {
    dieAt('opened', false);
    await assert.rejects(
      open(t, { threads, mortal: true }),
      diedOf(byError ? 'at opened' : 'it ended with 9'),
    );
  });

  for (const [when, kind, said] of [
    ['before it is told to listen', 'opened', true],
    ['with its sockets bound', 'listening', false],
    ['as it listens', 'listening', true],
  ] as const) {
    closingAll(`${which} dies ${how} ${when}: another one listens`, async (t) => {
      dieAt(kind, said);
      const { thread, port, until, send } = await open(t, { threads, mortal: true });
      if (kind === 'opened') await until('restarted with 0');
      await thread.listen();
      thread.receive();
      if (kind === 'listening') await until('restarted with 0');
      for (const spi of [1001, 1002]) thread.apply(spi, installation('inbound', spi, port));
      for (const spi of [1001, 1002]) await until(`${spi} true`);
      for (const spi of [1001, 1002]) send(dummyOn(spi, port));
      for (const spi of [1001, 1002]) await until(`first on ${spi}`);
    });
  }

  for (const said of [false, true]) {
    const heard = said ? 'they are answered' : 'nothing is known of them';
    closingAll(`${which} dies ${how} of commands, and ${heard}: nothing is lost but a new SA`, async (t) => {
      // Both of its SAs, and what comes then.
      dieAt('sa-done', said, 4);
      const { thread, said: told, port, until, send } = await listening(t, { threads, mortal: true });
      const standing = [1002 + dying, 1004 + dying];
      for (const spi of standing) {
        thread.apply(spi, installation('inbound', spi, port));
        await until(`${spi} true`);
      }
      thread.apply(1, policyOf(2002 + dying));
      await until('1 true');
      thread.apply(2, policyOf(2004 + dying));
      thread.apply(3, installation('inbound', 3002 + dying, port));
      thread.apply(4, {
        ...{ kind: 'remove', protocol: 'esp', direction: 'inbound' },
        ...{ spi: (1004 + dying) as Spi, childId: 1004 + dying },
      });
      await until('4 ');
      await until(`restarted with ${said ? 2 : 1}`);
      assert.deepEqual(
        told.filter((one) => /^[234] /.test(one)),
        ['2 true', `3 ${said}`, '4 true'],
      );
      send(dummyOn(1002 + dying, port));
      await until(`first on ${1002 + dying}`);
      send(dummyOn(1004 + dying, port));
      await until(`unknown ${1004 + dying}`);
      send(dummyOn(2004 + dying, port));
      await until(`unknown ${2004 + dying}`);
      thread.apply(5, installation('inbound', 2004 + dying, port));
      // It came before its SA, whose policy stands.
      await until(`first on ${2004 + dying}`);
      if (!said) thread.apply(6, installation('inbound', 3002 + dying, port));
      send(dummyOn(3002 + dying, port));
      await until(`first on ${3002 + dying}`);
    });
  }

  closingAll(`${which} dies ${how} each time that it is to listen: that is an error`, async (t) => {
    const death: Death = { kind: 'listening', said: false, byError, time: 1 };
    const others = Array.from({ length: threads }, (_, i) => (i === dying ? death : undefined));
    nextThreads(...others, ...Array.from({ length: 5 }, () => death));
    const { thread, said } = await open(t, { threads, mortal: true });
    await assert.rejects(thread.listen(), diedOf(byError ? 'at listening' : 'it ended with 9'));
    assert.equal(said.filter((one) => one.startsWith('restarted')).length, 5);
    assert.ok(!said.some((one) => one.startsWith('died')));
  });
}

function sockets(): readonly string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // That of the folder itself is closed.
      return '';
    }
  });
  return links.filter((link) => link.startsWith('socket:'));
}

if (process.getuid?.() === 0)
  closingAll(
    'given one that has sockets for native ESP and HIP, another one goes on with these',
    async (t) => {
      nextThreads({ kind: 'listening', said: true, byError: false, time: 1 });
      const { thread, until } = await open(t, {
        ...{ mortal: true, nativeEsp: true, hip: true },
        // Nobody else's tests are there.
        addresses: [address('127.77.0.1')],
      });
      await thread.listen();
      const before = sockets();
      await until('restarted with 0');
      thread.receive();
      thread.apply(1, policyOf(1));
      await until('1 true');
      const after = sockets();
      assert.equal(after.length, before.length);
      // Addresses are watched anew.
      assert.equal(before.filter((socket) => after.includes(socket)).length, before.length - 1);
    },
  );

if (process.getuid?.() === 0)
  for (const threads of [1, 2])
    closingAll(`the first of ${threads} dies once it has the device: that stays until the end`, async (t) => {
      nextThreads({ kind: 'opened', said: true, byError: false, time: 1 });
      await t.test('while it is there', async (t) => {
        const { thread, until } = await open(t, { threads, mortal: true, tunName: 'wwdeath%d' });
        await until('restarted with 0');
        await thread.listen();
        thread.receive();
        thread.apply(1, policyOf(1));
        await until('1 true');
        assert.ok(readdirSync('/sys/class/net').includes(thread.tunName!));
      });
      assert.deepEqual(
        readdirSync('/sys/class/net').filter((name) => name.startsWith('wwdeath')),
        [],
      );
    });

if (process.getuid?.() === 0)
  for (const threads of [1, 2])
    closingAll(`what ${threads} that cannot have the device, or a port, have opened is closed`, async (t) => {
      const device = new TunDevice('wwdeath%d');
      t.after(() => device.close());
      const { port } = await listening(t);
      await assert.rejects(open(t, { threads, tunName: device.name }), { code: 'EBUSY' });
      await assert.rejects(listening(t, { threads, ports: [port + 1, port] }), { code: 'EADDRINUSE' });
    });

test('of the kernel data plane no thread takes the place of another: to listen with it fails', {
  ...{ skip: missingForXfrm(), timeout },
}, async (t) => {
  nextThreads({ kind: 'listening', said: false, byError: true, time: 1 });
  const kernel = { ownerName: 'death.test', keepEarlierMs: 0 };
  const { thread } = await open(t, { mortal: true, kernel });
  await assert.rejects(thread.listen(), diedOf('at listening'));
  await t.test('nor one that has died before', async (t) => {
    nextThreads({ kind: 'opened', said: true, byError: true, time: 1 });
    const { thread, until } = await open(t, { mortal: true, kernel });
    await until('died: at opened');
    await assert.rejects(thread.listen(), diedOf('at opened'));
  });
});
