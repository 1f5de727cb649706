// An operator's swanctl against wayward and against charon, at the two ends of one tunnel: the same commands must end with
// the same status, and what they print must have the same structure.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario } from '../../harness/scenario.ts';
import type { Stage } from '../../harness/stage.ts';
import { type SwanctlTarget, swanctl, swanctlWhile } from '../../harness/swanctl.ts';
import { parsePretty, type Section } from '../../harness/swanctl-output.ts';

/** What only one end of a tunnel has, or has only at times. */
const incidental = new Set([
  'initiator',
  'nat-local',
  'nat-remote',
  'nat-fake',
  'nat-any',
  'tasks-queued',
  'tasks-active',
  // charon does not say of an IKE SA whether it may move.
  'mobike',
  'tasks-passive',
  'use-in',
  'use-out',
  // `swanctl --pretty` shows lists without items as such; whether there are plugins is the daemon's matter.
  'plugins',
]);

/** Names and kinds of everything printed. Child SAs are keyed by name and number, of which the number is incidental. */
function structure(section: Section): object {
  return Object.fromEntries(
    Object.entries(section)
      .filter(([name]) => !incidental.has(name))
      .map(([name, value]) => [
        name.replace(/^(net|spare)-\d+$/, '$1-N'),
        typeof value === 'string' ? 'value' : Array.isArray(value) ? 'list' : structure(value as Section),
      ])
      .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
  );
}

/** Runs a command on both daemons. */
async function both(
  stage: Stage,
  ...words: readonly string[]
): Promise<{ readonly ours: Section; readonly theirs: Section; readonly status: number | null }> {
  const ours = await swanctl(stage.wayward, ...words);
  const theirs = await swanctl(stage.strongswan, ...words);
  const printed = `${words.join(' ')}\nwayward: ${ours.output}\ncharon: ${theirs.output}`;
  assert.equal(ours.status, theirs.status, printed);
  return { ours: parsePretty(ours.output), theirs: parsePretty(theirs.output), status: ours.status };
}

async function sameStructure(stage: Stage, ...words: readonly string[]): Promise<Section> {
  const { ours, theirs, status } = await both(stage, ...words, '--pretty');
  assert.equal(status, 0, words.join(' '));
  assert.ok(Object.keys(theirs).length > 0, `${words.join(' ')} printed nothing`);
  assert.deepEqual(structure(ours), structure(theirs), words.join(' '));
  return ours;
}

/** Events while the tunnel is made anew, the last of each kind. @param last what is told of the end */
async function eventsOf(stage: Stage, target: SwanctlTarget, word: string, last: RegExp): Promise<object> {
  const { initiator } = stage;
  const down = async (): Promise<void> => {
    await initiator.downIke('gateway');
    await stage.nothingLeft();
  };
  const { status, output } = await swanctlWhile(target, [word, '--pretty'], async (printed) => {
    // It does not say when it listens.
    while (printed() === '') {
      await initiator.up('net');
      await stage.agreedChild('net');
      await down();
    }
    await initiator.up('net');
    const child = await stage.agreedChild('net');
    await initiator.rekeyChild('net');
    await stage.replacedChild(child);
    const [ike] = await stage.wayward.ikeSas();
    await initiator.rekeyIke('gateway');
    await stage.replacedIkeSa(ike!);
    const before = printed().length;
    await down();
    await eventually('the end is told', () => last.test(printed().slice(before)));
  });
  assert.equal(status, 0, output);
  const seen: Record<string, object> = {};
  for (const [name, event] of Object.entries(parsePretty(output))) {
    if (typeof event === 'string' || Array.isArray(event)) continue;
    const kind = `${name.replace(/#\d+$/, '')}${'up' in event ? ' up' : ''}`;
    seen[kind] = structure(event as Section);
  }
  return seen;
}

const ikeSaIsGone = /^ike-updown event \{\n(?! *up = )[\s\S]*^\}$/m;

/** Frames that are none, too long, cut short, out of turn, or many at once; each on a connection of its own. */
async function sendNonsense(path: string): Promise<void> {
  const request = [0, 0, 0, 9, 0, 7, ...Buffer.from('version')];
  for (const octets of [
    [0, 0, 0, 1, 99],
    [0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 40, 0],
    [0, 0, 0, 1, 5],
    [0, 0, 0, 3, 0, 1, 0x41],
    [...request, ...request, ...request, 0, 0],
  ]) {
    const socket = connect(path);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    await new Promise<void>((resolve) => socket.write(Uint8Array.from(octets), () => resolve()));
    await pause(20);
    socket.destroy();
  }
}

const scenario: Scenario = {
  expects: 'swanctl ends with the same status and prints the same structure as against charon',
  families: ['IPv4'],
  async play(stage) {
    await stage.start();
    const { wayward } = stage;

    // Loading what stands in its file already changes nothing.
    assert.equal((await both(stage, '--load-all', '--noprompt')).status, 0);
    for (const word of ['--stats', '--list-conns', '--list-pools', '--counters'])
      await sameStructure(stage, word);
    for (const word of ['--list-certs', '--list-authorities', '--flush-certs', '--reload-settings'])
      assert.equal((await both(stage, word)).status, 0, word);
    const algorithms = (await both(stage, '--list-algs', '--pretty')).ours;
    assert.ok(Object.keys(algorithms['get-algorithms reply'] as Section).includes('aead'));

    for (const words of [
      ['--initiate', '--child', 'nothing'],
      ['--initiate', '--ike', 'nothing'],
      ['--terminate', '--child', 'nothing'],
      ['--terminate', '--ike', 'nothing'],
      ['--terminate', '--ike-id', '77'],
      ['--terminate', '--child-id', '77'],
      ['--rekey', '--child', 'nothing'],
      ['--rekey', '--ike', 'nothing'],
      ['--install', '--child', 'nothing'],
      ['--uninstall', '--child', 'nothing'],
      ['--redirect', '--ike', 'nothing', '--gateway', '192.0.2.1'],
    ]) {
      assert.notEqual((await both(stage, ...words)).status, 0, words.join(' '));
    }

    // kernel-libipsec installs no trap policies, so this is wayward's alone.
    assert.equal((await swanctl(wayward, '--install', '--child', 'spare')).status, 0);
    assert.match((await swanctl(wayward, '--list-pols')).output, /gateway\/spare, TUNNEL/);
    assert.equal((await swanctl(wayward, '--uninstall', '--child', 'spare')).status, 0);

    const initiator = stage.role === 'initiator' ? wayward : stage.strongswan;
    const initiated = await swanctl(initiator, '--initiate', '--child', 'net', '--timeout', '10');
    assert.equal(initiated.status, 0, initiated.output);
    assert.match(initiated.output, /\[IKE\] /);
    await stage.agreedChild('net');
    await sameStructure(stage, '--list-sas');
    await sameStructure(stage, '--counters', '--all');
    assert.equal((await both(stage, '--rekey', '--child', 'net')).status, 0);
    await stage.agreedChild('net');
    const shown = (await swanctl(wayward, '--list-sas')).output;
    const number = /net: #(\d+), reqid/.exec(shown)?.[1];
    assert.equal((await swanctl(wayward, '--terminate', '--child-id', `${number}`)).status, 0, shown);
    assert.equal((await swanctl(wayward, '--terminate', '--ike', 'gateway')).status, 0);
    await stage.nothingLeft();

    const [ours, theirs] = [
      await eventsOf(stage, wayward, '--monitor-sa', ikeSaIsGone),
      await eventsOf(stage, stage.strongswan, '--monitor-sa', ikeSaIsGone),
    ];
    assert.deepEqual(ours, theirs);
    assert.equal((await stat(wayward.viciPath)).mode & 0o777, 0o600);
    await sendNonsense(wayward.viciPath);
    assert.equal((await swanctl(wayward, '--stats')).status, 0);
    const [log] = Object.values(await eventsOf(stage, wayward, '--log', /\n/));
    assert.ok(log !== undefined, 'nothing was logged');
  },
};
export default scenario;
