// The kernel's SPD and larval states under our data plane; every kernel with XFRM can do that, even without ESP.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type PolicyParameters, type SaCommand, type SaResult, selectorOfPrefix } from '#sa';
import { NamespacePair, outerAddresses, said } from '../testing/namespace-pair.ts';
import { missingForXfrm } from './testing/missing-for-xfrm.ts';

const end = fileURLToPath(new URL('./testing/kernel-plane-end.js', import.meta.url));

const leaveKernelEnd = fileURLToPath(new URL('./testing/leave-kernel-end.js', import.meta.url));
const skip = missingForXfrm();

/** One data plane in a namespace. */
class Plane {
  readonly #child: ChildProcess;

  constructor(pair: NamespacePair, owner = 'test') {
    this.#child = pair.start('left', process.execPath, end, owner);
  }

  async ask<Answer>(line: string): Promise<Answer> {
    const answer = said(this.#child, 'answer ');
    this.#child.stdin!.write(`${line}\n`);
    return JSON.parse((await answer).slice('answer '.length)) as Answer;
  }

  apply(command: SaCommand): Promise<SaResult> {
    return this.ask(JSON.stringify(command));
  }

  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

const inner = { local: [selectorOfPrefix('10.1.0.0/24')!], remote: [selectorOfPrefix('10.2.0.0/24')!] };
const trap = (change: Partial<PolicyParameters> = {}): SaCommand => ({
  kind: 'install-policy',
  policy: {
    policyId: 0x4000_0000,
    action: 'trap',
    selectors: inner,
    priority: 0x7000_0000,
    mode: 'tunnel',
    ...change,
  },
});

async function withNamespace(use: (pair: NamespacePair) => Promise<void>): Promise<void> {
  const pair = new NamespacePair();
  try {
    await pair.run('left', 'ip', 'address', 'add', '10.1.0.1/32', 'dev', 'lo');
    await pair.run('left', 'ip', 'route', 'add', '10.2.0.0/24', 'via', outerAddresses[4].right);
    await use(pair);
  } finally {
    pair.close();
  }
}

const ip = async (pair: NamespacePair, ...words: string[]): Promise<string> =>
  (await pair.run('left', 'ip', ...words)).output;
const ping = (pair: NamespacePair) =>
  pair.run('left', 'ping', '-c', '1', '-W', '0.2', '-I', '10.1.0.1', '10.2.0.1');

test('traffic of a trap policy asks for an SA once, and again after the request was taken back', {
  skip,
}, async () => {
  await withNamespace(async (pair) => {
    const plane = new Plane(pair);
    assert.deepEqual(await plane.apply(trap()), { ok: true });
    assert.deepEqual(await plane.ask('events'), []);
    await ping(pair);
    const wanted = {
      kind: 'acquire',
      policyId: 0x4000_0000,
      local: { protocol: 1, startPort: 0x0800, endPort: 0x0800, start: '10.1.0.1', end: '10.1.0.1' },
      remote: { protocol: 1, startPort: 0x0800, endPort: 0x0800, start: '10.2.0.1', end: '10.2.0.1' },
    };
    assert.deepEqual(await plane.ask('events'), [wanted]);
    await ping(pair);
    assert.deepEqual(await plane.ask('events'), [], 'the kernel remembers that it asked');
    await plane.ask('timeout');
    assert.equal(await ip(pair, 'xfrm', 'state'), '', 'nothing of the request is left');
    await ping(pair);
    assert.deepEqual(await plane.ask('events'), [wanted]);
    assert.deepEqual(await plane.apply({ kind: 'remove-policy', policyId: 0x4000_0000 }), { ok: true });
    assert.equal(await ip(pair, 'xfrm', 'policy'), '');
  });
});

test('traffic that asked for an SA and was not heard leaves nothing behind', { skip }, async () => {
  await withNamespace(async (pair) => {
    const plane = new Plane(pair);
    assert.deepEqual(await plane.apply(trap()), { ok: true });
    await ping(pair);
    assert.match(await ip(pair, 'xfrm', 'state'), /proto esp spi 0x00000000/);
    const [, requestId] = /reqid (\d+)/.exec(await ip(pair, 'xfrm', 'policy'))!;
    const withSpi = `src 192.0.2.9 dst 192.0.2.1 proto esp reqid ${requestId} mode tunnel min 0xc1000000 max 0xc1000000`;
    await ip(pair, 'xfrm', 'state', 'allocspi', ...withSpi.split(' '));
    await plane.ask('close');
    assert.equal(await ip(pair, 'xfrm', 'state'), '');
  });
});

test('of two policies for one place the kernel has the one that wins, and the other when it goes', {
  skip,
}, async () => {
  await withNamespace(async (pair) => {
    const plane = new Plane(pair);
    const outbound = async (): Promise<string> =>
      (await ip(pair, 'xfrm', 'policy')).split(/^(?=src)/m).find((one) => one.includes('dir out')) ?? '';
    await plane.apply(trap());
    await plane.apply(trap({ policyId: 5, action: 'discard', priority: 1000 }));
    assert.match(await outbound(), /action block priority 1000/);
    await plane.apply({ kind: 'remove-policy', policyId: 5 });
    assert.match(await outbound(), /priority 1879048192/);
    // A policy that changes gives up the places it does not want any more.
    const narrower = { ...inner, remote: [selectorOfPrefix('10.2.0.0/25')!] };
    await plane.apply(trap({ selectors: narrower }));
    assert.match(await outbound(), /dst 10\.2\.0\.0\/25/);
    assert.equal((await ip(pair, 'xfrm', 'policy')).match(/dir/g)?.length, 3);
    await plane.ask('close');
    assert.equal(await ip(pair, 'xfrm', 'policy'), '');
  });
});

test('a policy with a mark and an interface number is for such packets only, beside one without', {
  skip,
}, async () => {
  await withNamespace(async (pair) => {
    const plane = new Plane(pair);
    const ties = { mark: { value: 0x2a, mask: 0xff }, interfaceId: 7 };
    const marked = trap({ kernelTies: { inbound: ties, outbound: { mark: ties.mark } } });
    assert.deepEqual(await plane.apply(marked), { ok: true });
    const text = await ip(pair, 'xfrm', 'policy');
    assert.equal(text.match(/mark 0x2a\/0xff/g)?.length, 3);
    assert.equal(text.match(/if_id 0x7/g)?.length, 2);
    assert.deepEqual(await plane.apply(trap({ policyId: 0x4000_0001 })), { ok: true });
    assert.equal((await ip(pair, 'xfrm', 'policy')).match(/dir/g)?.length, 6);
    await plane.apply({ kind: 'remove-policy', policyId: 0x4000_0001 });
    await ping(pair);
    assert.deepEqual(await plane.ask('events'), []);
    for (let round = 0; round < 2; round++) {
      await pair.run('left', 'ping', '-m', '298', '-c', '1', '-W', '0.2', '-I', '10.1.0.1', '10.2.0.1');
      const [event, ...others] = await plane.ask<{ policyId: number }[]>('events');
      assert.deepEqual([event?.policyId, others.length], [0x4000_0000, 0]);
      await plane.ask('timeout');
      assert.equal(await ip(pair, 'xfrm', 'state'), '', 'nothing of the request is left');
    }
    await plane.kill();
    const next = new Plane(pair);
    await next.ask('remove-earlier');
    assert.equal(await ip(pair, 'xfrm', 'policy'), '');
    assert.deepEqual(await next.apply(marked), { ok: true });
    await next.ask('close');
    assert.equal(await ip(pair, 'xfrm', 'policy'), '');
  });
});

test('another key manager’s policy stays as it is, and so does its SA', { skip }, async () => {
  await withNamespace(async (pair) => {
    const foreign = 'src 10.1.0.0/24 dst 10.2.0.0/24 dir out priority 7 tmpl proto esp reqid 3 mode tunnel';
    await ip(pair, 'xfrm', 'policy', 'add', ...foreign.split(' '));
    const larval = 'src 192.0.2.9 dst 192.0.2.1 proto esp reqid 3 mode tunnel min 0xc1000000 max 0xc1000000';
    await ip(pair, 'xfrm', 'state', 'allocspi', ...larval.split(' '));
    const before = await ip(pair, 'xfrm', 'policy');
    const plane = new Plane(pair);
    assert.deepEqual(await plane.ask('foreign'), [0xc1000000]);
    const result = await plane.apply(trap());
    assert.equal(result.ok ? '' : result.code, 'exists');
    assert.equal(await ip(pair, 'xfrm', 'policy'), before, 'what could not be done left nothing behind');
    assert.equal(await plane.ask('remove-earlier'), 0);
    await plane.ask('close');
    assert.equal(await ip(pair, 'xfrm', 'policy'), before);
    assert.match(await ip(pair, 'xfrm', 'state'), /0xc1000000/);
  });
});

test('what a killed process left is taken over by the next one, or removed, and nobody else’s', {
  skip,
}, async () => {
  await withNamespace(async (pair) => {
    const killed = new Plane(pair);
    await killed.apply(trap());
    const moved = { local: [selectorOfPrefix('10.1.0.0/24')!], remote: [selectorOfPrefix('10.3.0.0/24')!] };
    await killed.apply(trap({ policyId: 0x4000_0001, selectors: moved }));
    const other = new Plane(pair, 'another owner');
    const third = { ...moved, remote: [selectorOfPrefix('10.4.0.0/24')!] };
    await other.apply(trap({ selectors: third }));
    await killed.kill();
    const next = new Plane(pair);
    assert.deepEqual(await next.apply(trap()), { ok: true });
    assert.equal((await ip(pair, 'xfrm', 'policy')).match(/dir/g)?.length, 9);
    await next.ask('remove-earlier');
    const left = await ip(pair, 'xfrm', 'policy');
    assert.equal(left.match(/dir/g)?.length, 6);
    assert.doesNotMatch(left, /10\.3\.0\.0/);
    assert.match(left, /10\.4\.0\.0/);
    await ping(pair);
    assert.equal((await next.ask<unknown[]>('events')).length, 1);
    assert.deepEqual(await other.ask('events'), []);
  });
});

test('a process that protects packets itself takes away what one before it has left in the kernel', {
  skip,
}, async () => {
  await withNamespace(async (pair) => {
    const plane = new Plane(pair);
    assert.deepEqual(await plane.apply(trap()), { ok: true });
    await ping(pair);
    await plane.kill();
    assert.match(await ip(pair, 'xfrm', 'policy'), /tmpl/);
    const foreign = 'src 10.1.0.0/24 dst 10.9.0.0/24 dir out tmpl proto esp mode tunnel'.split(' ');
    await ip(pair, 'xfrm', 'policy', 'add', ...foreign);
    await pair.run('left', process.execPath, leaveKernelEnd, 'another');
    assert.match(await ip(pair, 'xfrm', 'policy'), /dst 10\.2\.0\.0/);
    const { output } = await pair.run('left', process.execPath, leaveKernelEnd, 'test');
    assert.equal(output, '');
    assert.doesNotMatch(await ip(pair, 'xfrm', 'policy'), /dst 10\.2\.0\.0/);
    assert.match(await ip(pair, 'xfrm', 'policy'), /dst 10\.9\.0\.0/);
    assert.equal(await ip(pair, 'xfrm', 'state'), '');
  });
});

test('policies that somebody else removes come back, whatever way he does it, and those that we remove do not', {
  skip,
}, async () => {
  await withNamespace(async (pair) => {
    const plane = new Plane(pair);
    const spd = async (): Promise<string> => (await ip(pair, 'xfrm', 'policy')).replaceAll(/index \d+ /g, '');
    await plane.apply(trap());
    const ties = { mark: { value: 0x2a, mask: 0xff }, interfaceId: 7 };
    const other = { ...inner, remote: [selectorOfPrefix('10.3.0.0/24')!] };
    const marked = { policyId: 5, selectors: other, kernelTies: { inbound: ties, outbound: ties } };
    await plane.apply(trap(marked));
    const sorted = async (): Promise<string[]> => (await spd()).split(/^(?=src)/m).sort();
    const before = await sorted();
    assert.equal(before.length, 6);
    assert.equal(await plane.ask('restored'), 0);
    await ip(pair, 'xfrm', 'policy', 'flush');
    assert.equal(await spd(), '');
    assert.equal(await plane.ask('restored'), 6);
    assert.deepEqual(await sorted(), before);
    const outbound = ['src', '10.1.0.0/24', 'dst', '10.2.0.0/24', 'dir', 'out'];
    await ip(pair, 'xfrm', 'policy', 'delete', ...outbound);
    assert.equal((await sorted()).length, 5);
    assert.equal(await plane.ask('restored'), 7);
    assert.deepEqual(await sorted(), before);
    const [, index] = /dir out .*?index (\d+)/s.exec(
      await ip(pair, '-s', 'xfrm', 'policy', 'get', ...outbound),
    )!;
    await ip(pair, 'xfrm', 'policy', 'delete', 'dir', 'out', 'index', index!);
    assert.equal((await sorted()).length, 5);
    assert.equal(await plane.ask('restored'), 8);
    assert.deepEqual(await sorted(), before);
    await plane.apply({ kind: 'remove-policy', policyId: 5 });
    assert.equal(await plane.ask('restored'), 8);
    assert.equal((await sorted()).length, 3);
    // Gone and back before we look: another one's, which stays.
    await ip(pair, 'xfrm', 'policy', 'flush');
    const foreign = [...outbound, 'priority', '7', 'tmpl', 'proto', 'esp', 'reqid', '3', 'mode', 'tunnel'];
    await ip(pair, 'xfrm', 'policy', 'add', ...foreign);
    assert.equal(await plane.ask('restored'), 10);
    assert.match(await spd(), /priority 7\b/);
  });
});

test('a policy that takes the place of ours, in whatever way, is not ours to change or to remove; when it goes, ours comes back', {
  skip,
}, async () => {
  await withNamespace(async (pair) => {
    const plane = new Plane(pair);
    const spd = async (): Promise<string[]> =>
      (await ip(pair, 'xfrm', 'policy')).split(/^(?=src)/m).filter((one) => one.includes('dir out'));
    const place = ['src', '10.1.0.0/24', 'dst', '10.2.0.0/24', 'dir', 'out'];
    const foreign = [...place, 'priority', '7', 'tmpl', 'proto', 'esp', 'reqid', '3', 'mode', 'tunnel'];
    const takesOver: readonly (readonly string[][])[] = [
      [['flush'], ['add', ...foreign]],
      [
        ['delete', ...place],
        ['add', ...foreign],
      ],
      [['update', ...foreign]],
    ];
    for (const commands of takesOver) {
      for (const heard of [false, true]) {
        assert.deepEqual(await plane.apply(trap()), { ok: true });
        for (const words of commands) await ip(pair, 'xfrm', 'policy', ...words);
        if (heard) await plane.ask('restored');
        const [his, ...others] = await spd();
        assert.deepEqual(others, []);
        assert.match(his!, /priority 7\b/);
        const change = await plane.apply(trap({ priority: 1000 }));
        assert.equal(change.ok ? 'ok' : change.code, 'exists');
        assert.deepEqual(await spd(), [his]);
        await plane.apply({ kind: 'remove-policy', policyId: 0x4000_0000 });
        assert.deepEqual(await spd(), [his]);
        const [warning, ...more] = await plane.ask<string[]>('warnings');
        assert.match(warning!, /another key manager.* out from 10\.1\.0\.0\/24 to 10\.2\.0\.0\/24/);
        assert.deepEqual(more, []);
        await ip(pair, 'xfrm', 'policy', 'flush');
        assert.equal(
          await plane
            .ask('restored')
            .then(spd)
            .then(({ length }) => length),
          0,
        );
      }
    }
    // He goes, and ours still wants its place.
    await plane.apply(trap());
    const ours = (await spd())[0]!.replace(/index \d+ /, '');
    await ip(pair, 'xfrm', 'policy', 'update', ...foreign);
    await ip(pair, 'xfrm', 'policy', 'delete', ...place);
    await plane.ask('restored');
    assert.equal((await spd())[0]!.replace(/index \d+ /, ''), ours);
    await ip(pair, 'xfrm', 'policy', 'flush');
    await ip(pair, 'xfrm', 'policy', 'add', ...foreign);
    await plane.ask('restored');
    await ip(pair, 'xfrm', 'policy', 'delete', ...place);
    await plane.ask('restored');
    assert.equal((await spd())[0]!.replace(/index \d+ /, ''), ours);
    await plane.ask('close');
    assert.equal(await ip(pair, 'xfrm', 'policy'), '');
  });
});

test('policies that let pass or discard are known as ours, too, after a process that was killed', {
  skip,
}, async () => {
  await withNamespace(async (pair) => {
    const other = { ...inner, remote: [selectorOfPrefix('10.3.0.0/24')!] };
    const third = { ...inner, remote: [selectorOfPrefix('10.4.0.0/24')!] };
    const killed = new Plane(pair);
    await killed.apply(trap({ policyId: 5, action: 'bypass' }));
    await killed.apply(trap({ policyId: 6, action: 'discard', selectors: other }));
    await killed.apply(trap({ policyId: 7, action: 'bypass', selectors: third }));
    await killed.kill();
    const foreign = 'src 10.1.0.0/24 dst 10.9.0.0/24 dir out priority 7';
    await ip(pair, 'xfrm', 'policy', 'add', ...foreign.split(' '));
    const another = new Plane(pair, 'another owner');
    const result = await another.apply(trap({ policyId: 5, action: 'bypass' }));
    assert.equal(result.ok ? 'ok' : result.code, 'exists');
    const next = new Plane(pair);
    assert.deepEqual(await next.apply(trap({ policyId: 5, action: 'bypass' })), { ok: true });
    assert.deepEqual(await next.apply(trap({ policyId: 6, action: 'discard', selectors: other })), {
      ok: true,
    });
    await next.ask('remove-earlier');
    const left = await ip(pair, 'xfrm', 'policy');
    assert.equal(left.match(/dir/g)?.length, 7);
    assert.doesNotMatch(left, /10\.4\.0\.0/);
    await next.ask('close');
    assert.match(await ip(pair, 'xfrm', 'policy'), /^src 10\.1\.0\.0\/24 dst 10\.9\.0\.0\/24[^/]*$/);
  });
});

test('commands for what is not there, and SPIs that nobody may have', { skip }, async () => {
  await withNamespace(async (pair) => {
    const plane = new Plane(pair);
    const code = async (command: object): Promise<string> => {
      const result = await plane.apply(command as SaCommand);
      return result.ok ? 'ok' : result.code;
    };
    const common = { protocol: 'esp', spi: 0xc0000001, childId: 1, direction: 'outbound' };
    assert.equal(await code({ kind: 'use-outbound', ...common }), 'missing');
    assert.equal(await code({ kind: 'remove', ...common }), 'missing');
    assert.equal(
      await code({ kind: 'extend-reservation', ...common, limit: { high: 0, low: 9 } }),
      'missing',
    );
    const ends = { local: { address: '192.0.2.1', port: 0 }, remote: { address: '192.0.2.2', port: 0 } };
    assert.equal(
      await code({ kind: 'update-addresses', ...common, ...ends, encapsulated: false }),
      'missing',
    );
    assert.equal(await code({ kind: 'remove-policy', policyId: 3 }), 'missing');
    assert.equal(await code(trap({ policyId: 3, action: 'protect' })), 'failed');
    assert.equal(await code(trap({ policyId: 3, action: 'protect', childId: 3 })), 'missing');
    const sa = {
      ...{ ...common, spi: 255, mode: 'tunnel', local: '192.0.2.1', remote: '192.0.2.2', esn: false },
      ...{ replayWindow: 32, selectors: inner, lifetimes: {}, generation: 0, copyDscp: 'out', copyDf: true },
      encryption: { id: 20, keyLengthBits: 128, key: Array.from({ length: 20 }, () => 1) },
    };
    assert.equal(await code({ kind: 'install', sa }), 'failed');
    assert.equal(
      await code({ kind: 'install', sa: { ...sa, spi: 0xc0000001, replayWindow: 5000 } }),
      'unsupported',
    );
    const odd = { ...sa.encryption, id: 4000 };
    assert.equal(
      await code({ kind: 'install', sa: { ...sa, spi: 0xc0000001, encryption: odd } }),
      'unsupported',
    );
    const behind = { last: { high: 0, low: 9 }, limit: { high: 0, low: 9 } };
    const again = { ...sa, spi: 0xc0000001, reservation: behind };
    assert.equal(await code({ kind: 'install', sa: again }), 'missing', 'its numbers are lost');
  });
});
