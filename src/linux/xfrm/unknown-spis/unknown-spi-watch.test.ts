// A look at unknown SPIs that goes wrong: what may pass is waited for, what does not is given up, and either is said once.
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SystemCallError } from '../../libc/errno.ts';
import { NamespacePair } from '../../testing/namespace-pair.ts';
import { filteredSpisMax } from './packet-filter.ts';
import { UnknownSpiWatch } from './unknown-spi-watch.ts';

type Errno = keyof typeof constants.errno;

const failure = (name: Errno): SystemCallError =>
  new SystemCallError('socket', constants.errno[name], 'packet socket');

let warnings: string[];
let tries: number;
let open: number;
/** Of the next tries to open a socket, and of the next reads; undefined: it goes well. */
let opening: (Errno | undefined)[];
let reading: (Errno | undefined)[];
let knownSpis: number[];
let watch: UnknownSpiWatch;
let counted: number;

beforeEach(() => {
  [warnings, opening, reading, knownSpis] = [[], [], [], []];
  [tries, open, counted] = [0, 0, 0];
  watch = new UnknownSpiWatch({
    ...{ natTraversalPort: 4500, perSecondMax: 500 },
    knownSpis: () => knownSpis,
    isKnown: () => false,
    warn: (text) => warnings.push(text),
    open: () => {
      tries++;
      const wrong = opening.shift();
      if (wrong !== undefined) throw failure(wrong);
      open++;
      return {
        receive: () => {
          const bad = reading.shift();
          if (bad !== undefined) throw failure(bad);
          return undefined;
        },
        close: () => {
          open--;
        },
      };
    },
  });
});

/** The kernel's counter, which moves or stands, every 100 ms. */
function runs(fromMs: number, toMs: number, moves = true): void {
  for (let at = fromMs; at < toMs; at += 100) {
    if (moves) counted++;
    watch.count(counted, at);
    watch.read(at + 10);
  }
}

for (const name of ['ENOBUFS', 'ENOMEM', 'ENETDOWN', 'EMFILE', 'EINTR'] as const)
  test(`after ${name} it looks again, although the counter stands by then`, () => {
    opening = [name];
    watch.count(0, 0);
    assert.equal(watch.looking, false);
    runs(100, 900, false);
    assert.equal(tries, 1);
    runs(900, 1_200, false);
    assert.equal(watch.looking, true);
    assert.equal(open, 2);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, new RegExp(name));
  });

test('an error that stays is tried at most once a minute, is said once, and leaves no socket open', () => {
  opening = new Array<Errno | undefined>(2_000).fill(undefined).flatMap(() => [undefined, 'ENOBUFS']);
  runs(0, 600_000);
  // 1, 2, 4, ... 32 s, and then once a minute, with a socket that goes well before the one that does not.
  assert.equal(tries / 2, 7 + Math.floor((600 - 63) / 60));
  assert.equal(open, 0);
  assert.equal(warnings.length, 1);
  assert.equal(watch.dueAt, Number.POSITIVE_INFINITY);
});

test('an error while it reads ends a look, not the thread, and the next one begins with short waits again', () => {
  reading = ['ENOBUFS'];
  runs(0, 900);
  assert.equal(open, 0);
  runs(1_000, 1_200);
  assert.equal(watch.looking, true);
  // It ends well, and the next error waits for a second, not for two.
  runs(1_200, 6_000, false);
  assert.equal(watch.looking, false);
  reading = ['ENETDOWN'];
  runs(6_000, 6_200);
  assert.equal(watch.looking, false);
  runs(6_200, 7_300);
  assert.equal(watch.looking, true);
  assert.equal(warnings.length, 1);
});

for (const name of ['EPERM', 'EAFNOSUPPORT'] as const)
  test(`after ${name} it gives up, and says so`, () => {
    opening = [name];
    runs(0, 600_000);
    assert.equal(tries, 1);
    assert.equal(watch.looking, false);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, new RegExp(`nothing else is known of them: socket: ${name}`));
  });

test('where an error passes and then the right is gone, both are said', () => {
  opening = ['ENOBUFS', 'EPERM'];
  runs(0, 600_000);
  assert.equal(tries, 2);
  assert.equal(warnings.length, 2);
});

test('given more known SPIs than the kernel has room for in a filter, it looks without them', () => {
  knownSpis = [0xc0000001];
  opening = [undefined, 'ENOMEM'];
  watch.count(0, 0);
  assert.equal(watch.looking, true);
  assert.equal(open, 2);
  assert.deepEqual(warnings, []);
});

// net.core.optmem_max was 20 KiB before Linux 6.8, and belongs to the namespace since.
test('as many known SPIs as are filtered at all are too many for a kernel with its former limit, which is no hindrance', {
  skip: process.getuid?.() === 0 ? false : 'needs root for network namespaces',
}, async () => {
  const pair = new NamespacePair();
  try {
    const { status } = await pair.run('left', 'sysctl', '-qw', 'net.core.optmem_max=20480');
    assert.equal(status, 0);
    const end = fileURLToPath(new URL('../testing/unknown-spi-look-end.js', import.meta.url));
    const { output } = await pair.run('left', process.execPath, end, String(filteredSpisMax));
    assert.equal(output, 'looks\n');
  } finally {
    pair.close();
  }
});
