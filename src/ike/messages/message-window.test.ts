// Message IDs: nothing beyond the window goes out, nothing beyond it comes in, answers are kept for repeats.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestWindow, ResponseWindow } from './message-window.ts';

// RFC 7296 2.3
test('with a window of one, a second request waits for the answer to the first', () => {
  const window = new RequestWindow<string>(1);
  assert.equal(window.open('first'), 1);
  assert.equal(window.hasRoom(), false);
  assert.throws(() => window.open('second'));
  assert.equal(window.outstanding(1), 'first');
  window.close(1);
  assert.equal(window.open('second'), 2);
});

test('with a window of three, an unanswered oldest request holds back the fourth', () => {
  const window = new RequestWindow<string>(0);
  window.enlarge(3);
  for (const name of ['a', 'b', 'c']) window.open(name);
  window.close(1);
  window.close(2);
  assert.equal(window.hasRoom(), false);
  window.close(0);
  assert.equal(window.hasRoom(), true);
});

// RFC 7296 2.3
test('a peer cannot shrink the window it announced', () => {
  const window = new RequestWindow<string>(0);
  window.enlarge(4);
  window.enlarge(2);
  assert.equal(window.size, 4);
});

// RFC 7296 2.2
test('the last Message ID is never used: the counter does not wrap', () => {
  assert.equal(new RequestWindow<string>(0xffff_ffff).hasRoom(), false);
});

// RFC 7296 2.1, 2.2
test('a request is fresh once, then in progress, then answered by the same octets', () => {
  const window = new ResponseWindow(0, 1);
  assert.deepEqual(window.classify(0), { kind: 'fresh' });
  window.accept(0);
  assert.deepEqual(window.classify(0), { kind: 'in-progress' });
  const datagrams = [Uint8Array.of(1)];
  window.answer(0, datagrams);
  assert.deepEqual(window.classify(0), { kind: 'answered', datagrams });
});

test('requests outside the window are told apart from fresh ones', () => {
  const window = new ResponseWindow(5, 2);
  assert.equal(window.classify(4).kind, 'outside');
  assert.equal(window.classify(6).kind, 'fresh');
  assert.equal(window.classify(7).kind, 'outside');
});

test('requests of a window of two may come out of order', () => {
  const window = new ResponseWindow(0, 2);
  window.accept(1);
  window.answer(1, []);
  assert.equal(window.expected, 0);
  assert.equal(window.classify(2).kind, 'outside');
  window.accept(0);
  window.answer(0, []);
  assert.equal(window.expected, 2);
  assert.equal(window.classify(2).kind, 'fresh');
});

test('as many answers as the window is wide are remembered, and no more', () => {
  const window = new ResponseWindow(0, 1);
  for (let id = 0; id < 10; id++) {
    window.accept(id);
    window.answer(id, [Uint8Array.of(id)]);
  }
  assert.equal(window.classify(9).kind, 'answered');
  assert.equal(window.classify(3).kind, 'outside');
});

test('an answer to a request that never came is our own mistake', () => {
  assert.throws(() => new ResponseWindow(0, 1).answer(0, []));
});
