// A log that neither an error in a loop nor a stranger can fill.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log, type LogLevel } from './log.ts';

function logOf(level: LogLevel): { readonly log: Log; readonly lines: string[]; pass(ms: number): void } {
  const lines: string[] = [];
  let now = 1_000_000;
  const log = new Log(
    level,
    (line) => lines.push(line.slice(line.indexOf(' ') + 1)),
    () => new Date(now),
  );
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

test('for programs, each line is a JSON object with the time, the level and the text', () => {
  const lines: string[] = [];
  const log = new Log(
    'info',
    (line) => lines.push(line),
    () => new Date(1_000_000),
  );
  log.format = 'json';
  log.line('warn', 'a "quoted" name');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [{ time: '1970-01-01T00:16:40.000Z', level: 'warn', text: 'a "quoted" name' }],
  );
});
