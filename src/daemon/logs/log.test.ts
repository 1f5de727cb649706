// A log that neither an error in a loop nor a stranger can fill.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from './log.ts';
import { jsonFormat, type LogFormat, type LogLevel, type LogRecord, logFormat } from './log-format.ts';

function logOf(level: LogLevel): { readonly log: Log; readonly lines: string[]; pass(ms: number): void } {
  const lines: string[] = [];
  let now = 1_000_000;
  const log = new Log(level, {
    write: (line) => lines.push(line.slice(line.indexOf(' ') + 1)),
    clock: () => new Date(now),
  });
  return {
    log,
    lines,
    pass: (ms) => {
      now += ms;
    },
  };
}

test('strangers get one line a second, and the next one tells of the rest', () => {
  const { log, lines, pass } = logOf('info');
  for (let i = 0; i < 1_000; i++) {
    log.strangerLine('info', `stranger ${i}`);
    pass(5);
  }
  assert.deepEqual(lines, [
    'info  stranger 0',
    ...[200, 400, 600, 800].map((i) => `info  stranger ${i}; 199 lines like it were left out`),
  ]);
});

test('whoever asks for details gets all of them, as many as a second may have', () => {
  const { log, lines, pass } = logOf('debug');
  for (let i = 0; i < 60; i++) log.strangerLine('debug', `stranger ${i}`);
  assert.equal(lines.length, 50);
  pass(1_000);
  log.line('info', 'next');
  assert.deepEqual(lines.slice(50), ['warn  10 lines were left out', 'info  next']);
});

/** The one line that a format makes of a record. */
function written(format: LogFormat, record: Partial<LogRecord> = {}): string {
  const at = new Date('2026-01-02T03:04:05.678Z');
  return format({ at, level: 'info', text: 'a "line"\nfor people', fields: { event: 'hint' }, ...record });
}

test('a flood of details pushes out nothing that matters', () => {
  const { log, lines } = logOf('debug');
  for (let i = 0; i < 100; i++) log.line('debug', 'detail');
  log.line('warn', 'it matters');
  assert.equal(lines.at(-1), 'warn  it matters');
  assert.equal(lines.length, 51);
});

test('what its reader has no room for is counted, and told once there is some', () => {
  const lines: string[] = [];
  let [now, hasRoom] = [0, false];
  const write = (line: string): number => lines.push(line.slice(line.indexOf(' ') + 1));
  const log = new Log('info', { write, clock: () => new Date(now), hasRoom: () => hasRoom });
  for (; now < 5_000; now += 1_000) log.line('error', 'again');
  assert.deepEqual(lines, []);
  hasRoom = true;
  log.line('info', 'later');
  assert.deepEqual(lines, ['warn  5 lines were left out', 'info  later']);
  assert.equal(log.linesLeftOut, 5);
});

test('of what a stranger makes as long as it likes, so much is written', () => {
  const lines: string[] = [];
  const identity = 'x'.repeat(100_000);
  const write = (line: string): number => lines.push(line);
  new Log('info', { write }).line('error', `refused: ${identity}`);
  new Log('info', { write, format: jsonFormat() }).line('error', `refused: ${identity}`, {
    event: 'ike',
    identity,
  });
  assert.match(lines[0] ?? '', /error refused: x{1991} \[98009 characters more\]$/);
  const { msg, identity: written } = JSON.parse(lines[1] ?? '') as Record<string, string>;
  assert.match(msg ?? '', /^refused: x{1991} \[98009 characters more\]$/);
  assert.match(written ?? '', /^x{2000} \[98000 characters more\]$/);
});

test('as JSON a line is one object, with the time of the clock, a name, and the text for people', () => {
  const fields = { event: 'hint', incident: '3-1', spi: 'c0ffee00', protected: false, count: 2 };
  const line = written(jsonFormat(), { fields });
  assert.ok(!line.includes('\n'));
  assert.deepEqual(JSON.parse(line), {
    level: 'info',
    time: '2026-01-02T03:04:05.678Z',
    ...fields,
    msg: 'a "line"\nfor people',
  });
});

test('journald is told how much a line matters, and adds the time itself', () => {
  assert.equal(written(logFormat('text', true), { text: 'lost', level: 'error' }), '<3>lost');
  assert.match(written(logFormat('json', true), { level: 'warn' }), /^<4>\{"level":"warn",/);
  assert.equal(written(logFormat('text', false), { text: 'x' }), '2026-01-02T03:04:05.678Z info  x');
});

test('a fold says in a field of its own how many lines it stands for', () => {
  const lines: { readonly event: string; readonly leftOut?: number }[] = [];
  let now = 0;
  const log = new Log('info', {
    write: (line) => lines.push(JSON.parse(line)),
    clock: () => new Date(now),
    format: jsonFormat(),
  });
  for (let i = 0; i < 10; i++) log.strangerLine('info', 'refused', { event: 'datagram-ignored' });
  now = 1_000;
  log.strangerLine('info', 'refused', { event: 'datagram-ignored' });
  for (let i = 0; i < 60; i++) log.line('error', 'again');
  now = 2_000;
  log.line('info', 'later');
  assert.deepEqual(
    lines.filter(({ leftOut }) => leftOut !== undefined).map(({ event, leftOut }) => [event, leftOut]),
    [
      ['datagram-ignored', 10],
      ['lines-left-out', 11],
    ],
  );
  assert.equal(log.linesLeftOut, 21);
});
